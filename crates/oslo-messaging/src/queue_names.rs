// SPDX-License-Identifier: Apache-2.0
//! The last part of the names of queues that belong to one process: chance, or `host:process:number` with `use_queue_manager`.
//!
//! Numbers are counted in a file of `/dev/shm` that all processes of the service share, as oslo.messaging's do, and begin anew when the
//! service restarts: then the queues of before are found again. A service is a process group, told apart by its leader's start.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use crate::ids;

/// Makes such a part.
pub(crate) fn unique(queue_manager: Option<&(String, String)>) -> String {
    let Some((host, process)) = queue_manager else { return ids::unique() };
    let file = format!("/dev/shm/{host}_{process}_qmanager");
    match next_number(Path::new(&file)) {
        Ok(number) => format!("{host}:{process}:{number}"),
        Err(error) => {
            tracing::warn!("{file} cannot be used ({error}): a queue gets a name by chance");
            ids::unique()
        }
    }
}

fn next_number(path: &Path) -> std::io::Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    let counted = count(&mut file);
    file.unlock()?;
    counted
}

fn count(file: &mut File) -> std::io::Result<u64> {
    let (group, started) = service()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let mut parts = text.trim().split(':').map(|part| part.parse::<u64>().ok());
    let known = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
    let number = match known {
        (Some(of), Some(number), Some(since)) if (of, since) == (group, started) => number + 1,
        _ => 1,
    };
    file.seek(SeekFrom::Start(0))?;
    file.set_len(0)?;
    write!(file, "{group}:{number}:{started}")?;
    Ok(number)
}

/// The process group and when its leader started.
fn service() -> std::io::Result<(u64, u64)> {
    let own = std::fs::read_to_string("/proc/self/stat")?;
    let group = field(&own, 2).filter(|group| *group > 0).unwrap_or_else(|| u64::from(std::process::id()));
    let leader = std::fs::read_to_string(format!("/proc/{group}/stat")).unwrap_or(own);
    Ok((group, field(&leader, 19).unwrap_or_default()))
}

/// A number after the program's name, which stands in parentheses and may hold spaces.
fn field(stat: &str, index: usize) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_and_begin_anew_with_another_service() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x_qmanager");
        assert_eq!([next_number(&path).unwrap(), next_number(&path).unwrap()], [1, 2]);
        std::fs::write(&path, "1:7:1").unwrap();
        assert_eq!(next_number(&path).unwrap(), 1);
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(next_number(&path).unwrap(), 1);
    }

    #[test]
    fn names_by_chance_differ() {
        assert_ne!(unique(None), unique(None));
        assert_eq!(unique(None).len(), 32);
    }
}
