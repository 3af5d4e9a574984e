//go:build linux

package cache

import (
	"path/filepath"
	"syscall"
)

// networkFS names the kind of network file system that a folder, or the nearest one
// above it that exists, is on; empty: a local disk, as far as it can be told.
func networkFS(dir string) string {
	var st syscall.Statfs_t
	for syscall.Statfs(dir, &st) != nil {
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
	return networkKinds[uint32(st.Type)]
}

// networkKinds are the numbers of statfs(2), and those of cluster file systems from
// their sources. FUSE may be local; one process at a time does no harm there.
var networkKinds = map[uint32]string{
	0x6969:     "nfs",
	0x517b:     "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb2",
	0x65735546: "fuse",
	0x01021997: "9p",
	0x5346414f: "afs",
	0x00c36400: "ceph",
	0x0bd00bd0: "lustre",
	0x47504653: "gpfs",
	0x19830326: "beegfs",
}
