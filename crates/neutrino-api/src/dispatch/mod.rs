// SPDX-License-Identifier: Apache-2.0
//! The API itself: one request to one answer, for every resource, from its table.
//!
//! [`Api::dispatch`] and [`Api::answer`] read from top to bottom are the whole story. Names no resource. Invariants: the engine is entered only with
//! an `Authorized`; a body is read only after the route is known; an error leaves as the API's error body, and its log part only to the log.

mod bodies;
mod extensions;
mod links;
mod query_string;
mod routes;

use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use neutrino_core::{
    Authorized, Caller, Context, Delivery, Endpoint, Engine, Facet, Judge, ListQuery, Precondition, Token,
    notifications::NotificationService, registry::Entry, rpc,
};
use neutrino_model::{Body, Record, Resource, Stack, View};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Value, json};

use crate::app::{App, Request, Response};
use crate::http::accept;
use crate::openapi;

use routes::{Route, Routes};

/// Options of the API that no resource owns.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// `allow_bulk`.
    pub allow_bulk: bool,
    /// `pagination_max_limit`; `None` for `-1` or "infinite".
    pub pagination_max_limit: Option<usize>,
    /// `network_link_prefix`: replaces scheme and host of links.
    pub network_link_prefix: Option<String>,
    /// `filter_validation`: refuse filters that a table does not declare.
    pub filter_validation: bool,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self { allow_bulk: true, pagination_max_limit: None, network_link_prefix: None, filter_validation: true }
    }
}

/// The application at the end of the pipeline.
pub struct Api {
    engine: Arc<Engine>,
    routes: Routes,
    options: ApiOptions,
    openapi: OnceLock<Bytes>,
    notifications: Option<Arc<NotificationService>>,
}

impl Api {
    #[must_use]
    pub fn new(engine: Arc<Engine>, options: ApiOptions) -> Self {
        let routes = Routes::new(&engine.registry);
        let notifications = engine.registry.service::<NotificationService>();
        Self { engine, routes, options, openapi: OnceLock::new(), notifications }
    }

    /// The collections that are served, for labels of metrics.
    pub fn collections(&self) -> impl Iterator<Item = &str> {
        self.engine.registry.entries().map(|(name, _)| name)
    }

    async fn dispatch(&self, request: &Request) -> Result<Response> {
        let delivery = Delivery::default();
        let answer = self.answer(request, &self.context(request).awaited(&delivery)).await;
        rpc::delivered(&self.engine, &delivery).await;
        answer
    }

    async fn answer(&self, request: &Request, cx: &Context) -> Result<Response> {
        let route = self.routes.find(&request.path)?;
        let head = Head { api: self, request, cx, judge: self.engine.judge(cx) };
        match (route, request.method.as_str()) {
            // For browsers that ask what they may do: the filter of CORS adds the answer.
            (_, "OPTIONS") => Ok(Response::empty(StatusCode::OK)),
            (Route::Root, "GET") => Ok(extensions::root(&self.engine.registry, request)),
            (Route::Extensions, "GET") => Ok(extensions::list(&self.engine.registry)),
            (Route::OpenApi, "GET") => Ok(self.openapi()),
            (Route::Extension(alias), "GET") => Ok(extensions::show(&self.engine.registry, request, &alias)),
            (Route::Extension(_) | Route::Extensions, _) => Ok(extensions::missing(request)),
            (Route::Collection(key, parent), "GET") => head.list(&key, parent.as_deref()).await,
            (Route::Collection(key, parent), "POST") => head.create(&key, parent.as_deref()).await,
            // Neutron looks for the object before it looks at the method.
            (Route::Collection(key, _), "PUT") => {
                bodies::no_list(&request.body, self.engine.entry(&key)?.table.resource)?;
                Err(self.missing(&key, "")?)
            }
            (Route::Collection(key, _), "DELETE") => Err(self.missing(&key, "")?),
            (Route::Member(key, parent, id), "GET") => head.show(&key, parent.as_deref(), &id).await,
            (Route::Member(key, parent, id), "PUT") => head.update(&key, parent.as_deref(), &id).await,
            (Route::Member(key, parent, id), "DELETE") => head.delete(&key, parent.as_deref(), &id).await,
            (Route::Action(key, parent, id, action), method) if action.method == method => {
                head.action(&key, parent.as_deref(), &id, action.name).await
            }
            (Route::Facet(key, id, facet, item), _) => head.facet(&key, &id, facet.as_ref(), item.as_deref()).await,
            (Route::Endpoint(endpoint, rest), _) => head.endpoint(endpoint.as_ref(), &rest).await,
            (_, method) => {
                let method: String = method.chars().take(16).collect();
                Err(kinds::METHOD_NOT_ALLOWED.error(format!("The method {method} is not allowed for this resource.")))
            }
        }
    }

    /// [`Api::dispatch`], once more when the database failed a read for a passing reason. What of a write can be repeated, it repeats itself.
    async fn dispatch_patiently(&self, request: &Request) -> Result<Response> {
        const TRIES: u32 = 4;
        for tried in 1..TRIES {
            match self.dispatch(request).await {
                Err(error) if error.is_transient() && request.method == Method::GET => {
                    tracing::debug!(path = %request.path, tried, log = error.log().unwrap_or_default(), "a read is tried again");
                    tokio::time::sleep(Duration::from_millis(50 << tried)).await;
                }
                answer => return answer,
            }
        }
        self.dispatch(request).await
    }

    /// Made once: what is on does not change.
    fn openapi(&self) -> Response {
        let text = self.openapi.get_or_init(|| openapi::document(&self.engine.registry).to_string().into());
        Response::new(StatusCode::OK, "application/json", text.clone())
    }

    fn context(&self, request: &Request) -> Context {
        Context::new(&request.info.request_id, self.engine.policy.settle(caller(request)))
    }

    fn missing(&self, key: &str, id: &str) -> Result<Error> {
        let resource = self.engine.entry(key)?.table.resource;
        Ok(resource.not_found.error(format!("{} {id} could not be found.", resource.member)))
    }
}

#[async_trait]
impl App for Api {
    async fn call(&self, request: Request) -> Response {
        match self.dispatch_patiently(&request).await.map_err(Error::given_up) {
            Ok(response) => response,
            Err(error) => {
                if error.status() >= 500 {
                    let log = error.log().unwrap_or_default();
                    tracing::error!(request_id = %request.info.request_id, method = %request.method, path = %request.path, error = %error, log, "request failed");
                }
                Response::from_error(&error)
            }
        }
    }
}

/// Who asks, as the pipeline says; what the rules make of it comes after.
fn caller(request: &Request) -> Caller {
    let identity = &request.info.identity;
    // Without any identity filter every request is the operator's.
    let is_admin = identity.is_admin.unwrap_or_else(|| identity.is_unknown());
    let mut caller = Caller {
        token: request.header("x-auth-token").map(Token::new),
        user_id: identity.user_id.clone(),
        user_name: identity.user_name.clone(),
        user_domain_id: identity.user_domain_id.clone(),
        project_id: identity.project_id.clone().filter(|p| !p.is_empty()),
        project_name: identity.project_name.clone(),
        project_domain_id: identity.project_domain_id.clone(),
        domain_id: identity.domain_id.clone(),
        system_scope: identity.system_scope.clone(),
        roles: identity.roles.clone(),
        service_user_id: identity.service_user_id.clone(),
        service_project_id: identity.service_project_id.clone(),
        service_roles: identity.service_roles.clone(),
        is_admin_project: identity.is_admin_project,
        is_admin,
        ..Caller::default()
    };
    if identity.is_unknown() {
        caller.roles = ["admin", "member", "reader"].map(str::to_owned).to_vec();
    }
    caller
}

/// One request on its way to the engine.
struct Head<'a> {
    api: &'a Api,
    request: &'a Request,
    cx: &'a Context,
    judge: Judge<'a>,
}

impl Head<'_> {
    fn entry(&self, key: &str) -> Result<&Entry> {
        self.api.engine.entry(key)
    }

    fn allowed(&self, exists: bool, what: &str) -> Result<()> {
        if exists {
            return Ok(());
        }
        Err(kinds::METHOD_NOT_ALLOWED.error(format!("This resource has no operation to {what}.")))
    }

    /// JSON is all there is. As in Neutron, only the core collections tell a client so that insists on something else.
    fn acceptable(&self, resource: &Resource) -> Result<()> {
        if resource.stack == Stack::Extension || accept::best(self.request.header("accept"), &["application/json"]).is_some() {
            return Ok(());
        }
        Err(kinds::NOT_ACCEPTABLE.error("The API answers in application/json only; the Accept header excludes it."))
    }

    fn query(&self, entry: &Entry) -> Result<ListQuery> {
        let text = self.request.query.as_deref().unwrap_or_default();
        query_string::parse(text, &entry.table, &self.api.options, &self.api.engine.registry.limits)
    }

    async fn list(&self, key: &str, parent: Option<&str>) -> Result<Response> {
        let entry = self.entry(key)?;
        let resource = entry.table.resource;
        self.acceptable(resource)?;
        self.allowed(resource.methods.list, "list")?;
        let query = self.query(entry)?;
        let auth = self.judge.read(key, parent).await?;
        let rows = self.api.engine.list(self.cx, &auth, key, parent, &query).await?;
        let view = self.view(entry, &auth, rows.first(), query.fields.as_deref()).await?;
        let mut out = Vec::with_capacity(64 + rows.len() * 512);
        out.extend_from_slice(format!("{{\"{}\": [", resource.collection).as_bytes());
        for (n, row) in rows.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(b", ");
            }
            view.write(row, &mut out);
        }
        out.push(b']');
        if let Some(links) = self.page_links(&rows, &query, entry) {
            out.extend_from_slice(format!(", \"{}_links\": {links}", resource.collection).as_bytes());
        }
        out.push(b'}');
        Ok(Response::new(StatusCode::OK, "application/json", out))
    }

    /// The attributes of an answer: those wanted, less those that the policy hides from the caller.
    async fn view(&self, entry: &Entry, auth: &Authorized, first: Option<&Record>, fields: Option<&[String]>) -> Result<View> {
        let hidden = auth.hidden(&self.api.engine, self.cx, first).await?;
        let is_hidden = |name: &str| entry.table.find(name).and_then(|at| hidden.get(at)).copied().unwrap_or(false);
        Ok(View::new(&entry.table, |name| fields.is_none_or(|fields| fields.iter().any(|f| f == name)) && !is_hidden(name)))
    }

    async fn single(
        &self,
        entry: &Entry,
        auth: &Authorized,
        record: &Record,
        status: StatusCode,
        fields: Option<&[String]>,
    ) -> Result<Response> {
        let view = self.view(entry, auth, Some(record), fields).await?;
        let mut out = Vec::with_capacity(2048);
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(entry.table.resource.member.as_bytes());
        out.extend_from_slice(b"\": ");
        view.write(record, &mut out);
        out.push(b'}');
        Ok(Response::new(status, "application/json", out))
    }

    fn page_links(&self, rows: &[Record], query: &ListQuery, entry: &Entry) -> Option<Value> {
        let limit = query.limit?;
        let key = entry.table.primary_key()?;
        let id = |row: Option<&Record>| row.and_then(|row| row.at(key).as_str().map(str::to_owned));
        let ids = id(rows.first()).zip(id(rows.last()));
        let ids = ids.as_ref().map(|(first, last)| (first.as_str(), last.as_str()));
        links::page(self.request, self.api.options.network_link_prefix.as_deref(), ids, rows.len() < limit, query.page_reverse)
    }

    async fn show(&self, key: &str, parent: Option<&str>, id: &str) -> Result<Response> {
        let entry = self.entry(key)?;
        let resource = entry.table.resource;
        self.acceptable(resource)?;
        self.allowed(resource.methods.show, "show")?;
        // The core collections judge a whole query here, too.
        let fields = match resource.stack {
            Stack::Core => self.query(entry)?.fields,
            Stack::Extension => query_string::fields(self.request.query.as_deref().unwrap_or_default())?,
        };
        let auth = self.judge.read(key, parent).await?;
        let record = self.api.engine.show(self.cx, &auth, key, parent, id, fields.as_deref()).await?;
        let fields = fields.filter(|_| !resource.whole_answers);
        self.single(entry, &auth, &record, StatusCode::OK, fields.as_deref()).await
    }

    /// Tells of a request, if anybody wants to hear: `payload` is made only then.
    fn tell(&self, resource: &Resource, event: &str, payload: impl FnOnce() -> Option<Value>) {
        if let Some(service) = &self.api.notifications
            && let Some(payload) = payload()
        {
            service.0.emit(self.cx, &format!("{}.{event}", resource.member), payload);
        }
    }

    async fn create(&self, key: &str, parent: Option<&str>) -> Result<Response> {
        let resource = self.entry(key)?.table.resource;
        self.tell(resource, "create.start", || asked(&self.request.body));
        let response = self.do_create(key, parent).await?;
        self.tell(resource, "create.end", || asked(&response.body));
        Ok(response)
    }

    async fn update(&self, key: &str, parent: Option<&str>, id: &str) -> Result<Response> {
        let resource = self.entry(key)?.table.resource;
        self.tell(resource, "update.start", || {
            let mut payload = asked(&self.request.body)?;
            payload["id"] = id.into();
            Some(payload)
        });
        let response = self.do_update(key, parent, id).await?;
        self.tell(resource, "update.end", || asked(&response.body));
        Ok(response)
    }

    async fn delete(&self, key: &str, parent: Option<&str>, id: &str) -> Result<Response> {
        let resource = self.entry(key)?.table.resource;
        let named = format!("{}_id", resource.member);
        self.tell(resource, "delete.start", || Some(json!({ &named: id })));
        let (original, auth) = self.do_delete(key, parent, id).await?;
        if self.api.notifications.is_some() {
            let shown = self.single(self.entry(key)?, &auth, &original, StatusCode::OK, None).await?;
            self.tell(resource, "delete.end", || {
                let mut payload = asked(&shown.body)?;
                payload[&named] = id.into();
                Some(payload)
            });
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    async fn do_create(&self, key: &str, parent: Option<&str>) -> Result<Response> {
        let entry = self.entry(key)?;
        let resource = entry.table.resource;
        self.allowed(resource.methods.create, "create")?;
        let (items, bulk) = bodies::create(&self.request.body, resource, self.api.options.allow_bulk)?;
        let limits = &self.api.engine.registry.limits;
        let mut wanted = Vec::with_capacity(items.len());
        for item in &items {
            let mut body = Body::create(entry.table.clone(), item, self.cx.caller.project_id.as_deref(), limits)?;
            self.own(&body)?;
            if let (Some(declared), Some(parent)) = (resource.parent, parent) {
                body.set(declared.attribute, parent);
            }
            wanted.push(body);
        }
        let auth = self.judge.create(key, parent, &wanted).await?;
        let records = self.api.engine.create(self.cx, &auth, key, wanted).await?;
        if !bulk {
            let record = records.first().ok_or_else(|| Error::internal("a create gave no object"))?;
            return self.single(entry, &auth, record, StatusCode::CREATED, None).await;
        }
        let view = self.view(entry, &auth, records.first(), None).await?;
        let mut out = format!("{{\"{}\": [", resource.collection).into_bytes();
        for (n, record) in records.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(b", ");
            }
            view.write(record, &mut out);
        }
        out.extend_from_slice(b"]}");
        Ok(Response::new(StatusCode::CREATED, "application/json", out))
    }

    /// Few may create for another project.
    fn own(&self, body: &Body) -> Result<()> {
        if self.cx.can_set_project_id() || body.table().find("project_id").is_none() || body.project_id() == self.cx.project_id() {
            return Ok(());
        }
        Err(kinds::BAD_REQUEST.error(
            "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin or advsvc privileges.",
        ))
    }

    async fn do_update(&self, key: &str, parent: Option<&str>, id: &str) -> Result<Response> {
        let entry = self.entry(key)?;
        let resource = entry.table.resource;
        self.allowed(resource.methods.update, "update")?;
        let precondition = precondition(self.request)?;
        // The body is judged before the object is looked for.
        let item = bodies::update(&self.request.body, resource)?;
        let body = Body::update(entry.table.clone(), &item, &self.api.engine.registry.limits)?;
        let original = self.api.engine.original(self.cx, key, parent, id).await?;
        let auth = self.judge.change("update", key, parent, &original, Some(&body)).await?;
        let record = self.api.engine.update(self.cx, &auth, key, &original, body, precondition).await?;
        self.single(entry, &auth, &record, StatusCode::OK, None).await
    }

    /// What was deleted, and the proof that it might be.
    async fn do_delete(&self, key: &str, parent: Option<&str>, id: &str) -> Result<(Record, Authorized)> {
        let entry = self.entry(key)?;
        self.allowed(entry.table.resource.methods.delete, "delete")?;
        let precondition = precondition(self.request)?;
        let original = self.api.engine.original(self.cx, key, parent, id).await?;
        let auth = self.judge.change("delete", key, parent, &original, None).await?;
        self.api.engine.delete(self.cx, &auth, key, &original, precondition).await?;
        Ok((original, auth))
    }

    async fn endpoint(&self, endpoint: &dyn Endpoint, rest: &[String]) -> Result<Response> {
        let method = self.request.method.as_str();
        let body = bodies::plain(&self.request.body)?;
        if let Some(rule) = endpoint.rule(self.cx, method, rest)? {
            let project = rest.first().map_or("", String::as_str);
            self.judge.project(rule, project).await?;
        }
        let (status, answer) = endpoint.call(&self.api.engine, self.cx, method, rest, &body).await?;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Ok(answer.map_or_else(|| Response::empty(status), |answer| Response::json(status, &answer)))
    }

    async fn facet(&self, key: &str, id: &str, facet: &dyn Facet, item: Option<&str>) -> Result<Response> {
        let parent = self.api.engine.original(self.cx, key, None, id).await?;
        let verb = match self.request.method {
            Method::GET => "get",
            Method::POST => "create",
            Method::DELETE => "delete",
            _ => "update",
        };
        if !facet.verbs().contains(&verb) {
            return Err(kinds::METHOD_NOT_ALLOWED.error(format!("{} does not take {}.", facet.path(), self.request.method)));
        }
        self.judge.facet(verb, key, facet.path(), &parent).await?;
        let body = bodies::plain(&self.request.body)?;
        let (status, answer) = facet.call(&self.api.engine, self.cx, &parent, item, self.request.method.as_str(), &body).await?;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Ok(answer.map_or_else(|| Response::empty(status), |answer| Response::json(status, &answer)))
    }

    async fn action(&self, key: &str, parent: Option<&str>, id: &str, name: &str) -> Result<Response> {
        let entry = self.entry(key)?;
        // The parent of a child is judged by its own rules; the child is found through it, never by its id alone.
        let mut place = String::new();
        if let Some(parent) = parent {
            _ = write!(place, "{parent}/");
        }
        place.push_str(id);
        let object = match id.is_empty() {
            true => None,
            false => Some(self.api.engine.original(self.cx, key, parent, id).await?),
        };
        let body = bodies::any(&self.request.body, entry.table.resource)?;
        self.judge.act(name, key, parent, object.as_ref(), &body).await?;
        let (status, answer) = entry.behaviour.action(&self.api.engine, self.cx, name, &place, &body).await?;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        if answer.is_null() && self.request.method != Method::GET {
            return Ok(Response::empty(status));
        }
        Ok(Response::json(status, &answer))
    }
}

/// A body as it is, if it is an object that says anything.
fn asked(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().filter(|value: &Value| value.as_object().is_some_and(|map| !map.is_empty()))
}

/// `If-Match: revision_number=N`; other entity tags are of no concern to the API.
fn precondition(request: &Request) -> Result<Precondition> {
    let mut revisions = request
        .headers
        .get_all("if-match")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|tag| tag.trim().trim_matches('"').strip_prefix("revision_number="));
    let Some(first) = revisions.next() else { return Ok(Precondition::default()) };
    if revisions.next().is_some() {
        return Err(kinds::BAD_REQUEST_PLUGIN.error("If-Match names more than one revision_number."));
    }
    let revision = first
        .trim_matches('"')
        .parse()
        .map_err(|_| kinds::BAD_REQUEST_PLUGIN.error("The revision_number of If-Match is not a whole number."))?;
    Ok(Precondition { revision: Some(revision) })
}
