"""A file system that passes everything on to a folder, and fails as the control file says.

failing-disk.py FOLDER MOUNT_POINT CONTROL: the control file holds nothing, or `CALL ERRNO [BYTES]`: a call of fusepy's
(`write`, `fsync`, or `any`), the name of its error, and after how many bytes written since then it fails.
"""
import errno
import os
import sys

from fusepy import FUSE, FuseOSError, Operations

FOLDER, MOUNT_POINT, CONTROL = sys.argv[1:4]
STAT = ("st_atime", "st_ctime", "st_gid", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid")
STATFS = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize", "f_namemax")


class Disk(Operations):
    order = ""
    written = 0

    def __call__(self, call, path, *arguments):
        if call not in ("init", "destroy", "flush", "release", "releasedir"):
            self.fail(call, arguments)
        return getattr(self, call)(FOLDER + path, *arguments)

    def fail(self, call, arguments):
        with open(CONTROL, encoding="ascii") as file:
            order = file.read()
        if order != self.order:
            self.order, self.written = order, 0
        if order == "":
            return
        which, name, *after = order.split()
        if which == "any" or which == call:
            if self.written >= (int(after[0]) if after else 0):
                raise FuseOSError(getattr(errno, name))
        if call == "write":
            self.written += len(arguments[0])

    def getattr(self, path, handle=None):
        found = os.lstat(path)
        return {key: getattr(found, key) for key in STAT}

    def statfs(self, path):
        found = os.statvfs(path)
        return {key: getattr(found, key) for key in STATFS}

    def readdir(self, path, handle):
        return [".", "..", *os.listdir(path)]

    def create(self, path, mode, info=None):
        return os.open(path, os.O_RDWR | os.O_CREAT, mode)

    def read(self, path, size, offset, handle):
        return os.pread(handle, size, offset)

    def write(self, path, data, offset, handle):
        return os.pwrite(handle, data, offset)

    def fsync(self, path, datasync, handle):
        return os.fsync(handle)

    def fsyncdir(self, path, datasync, handle):
        return 0

    def flush(self, path, handle):
        return 0

    def release(self, path, handle):
        return os.close(handle)

    def rename(self, old, new):
        return os.rename(old, FOLDER + new)

    def link(self, target, source):
        return os.link(FOLDER + source, target)

    def truncate(self, path, length, handle=None):
        return os.truncate(path, length)

    def chmod(self, path, mode):
        return os.chmod(path, mode)

    def chown(self, path, uid, gid):
        return os.chown(path, uid, gid)

    def mkdir(self, path, mode):
        return os.mkdir(path, mode)

    def rmdir(self, path):
        return os.rmdir(path)

    def unlink(self, path):
        return os.unlink(path)

    def open(self, path, flags):
        return os.open(path, flags)

    def utimens(self, path, times=None):
        return os.utime(path, times)


FUSE(Disk(), MOUNT_POINT, foreground=True, nothreads=True, attr_timeout=0, entry_timeout=0)
