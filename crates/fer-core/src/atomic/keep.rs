//! Gives a file that replaces another one the owner, the group and the extended attributes of the replaced file.

#[cfg(unix)]
pub(super) use unix::{attributes, check, owner};

#[cfg(not(unix))]
pub(super) use other::{attributes, check, owner};

#[cfg(unix)]
mod unix {
    use std::fs::{File, Metadata};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{MetadataExt as _, fchown};
    use std::path::Path;

    use rustix::fs::{Access, access};

    /// Gives a file the owner and the group of another one.
    pub fn owner(file: &File, of: &Metadata) -> io::Result<()> {
        let now = file.metadata()?;
        if now.uid() == of.uid() && now.gid() == of.gid() {
            return Ok(());
        }
        fchown(file, Some(of.uid()), Some(of.gid())).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => not_ours(),
            _ => error,
        })
    }

    fn not_ours() -> io::Error {
        io::Error::new(
            ErrorKind::PermissionDenied,
            "it belongs to another user or group, which would be lost",
        )
    }

    /// Copies the extended attributes of a file, such as access control lists and the tags of file managers.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub fn attributes(from: &Path, to: &File) -> io::Result<()> {
        use rustix::fs::{XattrFlags, fsetxattr, lgetxattr, llistxattr};
        use rustix::io::Errno;

        /// The longest list, and the longest value, that Linux has.
        const MAX_ATTRIBUTE_BYTES: usize = 64 << 10;
        let mut buffer = vec![0; MAX_ATTRIBUTE_BYTES];
        let names = match llistxattr(from, &mut buffer[..]) {
            Ok(length) => buffer[..length].to_vec(),
            Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for name in names
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
        {
            let set = lgetxattr(from, name, &mut buffer[..])
                .and_then(|length| fsetxattr(to, name, &buffer[..length], XattrFlags::empty()));
            // The system sets such labels on new files itself, and programs may not.
            let is_label = name.starts_with(b"security.") || name.starts_with(b"com.apple.");
            match set {
                Err(_) if is_label => {}
                set => set?,
            }
        }
        Ok(())
    }

    /// Does nothing: extended attributes are not supported on this platform.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub fn attributes(_: &Path, _: &File) -> io::Result<()> {
        Ok(())
    }

    /// Checks that files can be created in a folder, and that the replacement of an existing file can keep its owner.
    pub fn check(folder: &Path, file: &Path) -> io::Result<()> {
        access(folder, Access::WRITE_OK | Access::EXEC_OK)?;
        let Ok(metadata) = file.symlink_metadata() else {
            return Ok(());
        };
        let user = rustix::process::geteuid();
        let group = metadata.gid();
        let has_group = || -> io::Result<bool> {
            // New files may inherit the group of their folder.
            let passed_on = folder.metadata()?;
            let own = rustix::process::getegid().as_raw() == group;
            let others = rustix::process::getgroups()?;
            Ok(own || passed_on.gid() == group || others.iter().any(|own| own.as_raw() == group))
        };
        if user.is_root() || user.as_raw() == metadata.uid() && has_group()? {
            Ok(())
        } else {
            Err(not_ours())
        }
    }

    #[cfg(all(test, target_os = "linux"))]
    mod tests {
        use std::fs;

        use super::super::super::{check, replace};
        use super::*;

        #[test]
        fn owner_mode_and_attributes_stay() {
            use rustix::fs::{XattrFlags, lgetxattr, lsetxattr};
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.xmp");
            fs::write(&path, "old").unwrap();
            let tagged = lsetxattr(&path, "user.tag", b"red", XattrFlags::empty()).is_ok();
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(&path, Some(1234), Some(2345)).unwrap();
            }
            let before = path.metadata().unwrap();
            check(&path).unwrap();
            replace(&path, b"old", b"new").unwrap();
            let after = path.metadata().unwrap();
            assert_eq!(
                (after.uid(), after.gid(), after.mode()),
                (before.uid(), before.gid(), before.mode())
            );
            let mut value = [0; 8];
            if tagged {
                let length = lgetxattr(&path, "user.tag", &mut value).unwrap();
                assert_eq!(&value[..length], b"red");
            }
        }

        #[test]
        fn a_folder_that_is_not_there_is_found_out_before_writing() {
            let folder = tempfile::tempdir().unwrap();
            assert!(check(&folder.path().join("away/a.xmp")).is_err());
            assert!(check(&folder.path().join("a.xmp")).is_ok());
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;

    pub fn owner(_: &File, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    pub fn attributes(_: &Path, _: &File) -> io::Result<()> {
        Ok(())
    }

    pub fn check(_: &Path, file: &Path) -> io::Result<()> {
        match file.metadata() {
            Ok(metadata) if metadata.permissions().readonly() => {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            _ => Ok(()),
        }
    }
}
