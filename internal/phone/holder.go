package phone

import (
	"fmt"
	"io/fs"
	"os/user"
	"path"
	"strconv"
	"strings"
)

// holder is who holds a port, as far as /proc tells: to anybody but root it tells the
// processes of the same user only.
type holder struct {
	pid  string // empty: not known
	name string
	uid  string // empty: not known
}

// String names the holder in a sentence.
func (h holder) String() string {
	switch {
	case h.pid != "":
		return fmt.Sprintf("%s (process %s)", h.name, h.pid)
	case h.uid == "":
		return "another program"
	}
	name := "with the id " + h.uid
	if u, err := user.LookupId(h.uid); err == nil {
		name = u.Username
	}
	return fmt.Sprintf("a program of the user %s (sudo would tell which)", name)
}

// udpHolder finds out who holds a UDP port of this machine. proc is /proc.
func udpHolder(proc fs.FS, port uint16) holder {
	uids := map[string]string{} // by what /proc/PID/fd shows of a socket
	for _, table := range []string{"net/udp", "net/udp6"} {
		text, _ := fs.ReadFile(proc, table) // missing: not Linux, or no IPv6
		for line := range strings.Lines(string(text)) {
			if inode, uid, ok := udpSocket(line, port); ok {
				uids["socket:["+inode+"]"] = uid
			}
		}
	}
	var h holder
	for _, h.uid = range uids {
	}
	if len(uids) == 0 {
		return h
	}
	for _, pid := range processes(proc) {
		if link := openSocket(proc, pid, uids); link != "" {
			comm, _ := fs.ReadFile(proc, pid+"/comm")
			return holder{pid: pid, name: strings.TrimSpace(string(comm)), uid: uids[link]}
		}
	}
	return h
}

// udpSocket reads a line of /proc/net/udp: the socket's inode and owner, if it has
// the local port.
func udpSocket(line string, port uint16) (inode, uid string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return "", "", false
	}
	_, hex, _ := strings.Cut(fields[1], ":")
	local, err := strconv.ParseUint(hex, 16, 16)
	return fields[9], fields[7], err == nil && uint16(local) == port
}

func processes(proc fs.FS) []string {
	entries, _ := fs.ReadDir(proc, ".")
	var pids []string
	for _, e := range entries {
		if _, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			pids = append(pids, e.Name())
		}
	}
	return pids
}

// openSocket returns which of the sockets a process has open.
func openSocket(proc fs.FS, pid string, sockets map[string]string) string {
	dir := path.Join(pid, "fd")
	files, _ := fs.ReadDir(proc, dir) // another user's, or gone meanwhile
	for _, f := range files {
		link, err := fs.ReadLink(proc, path.Join(dir, f.Name()))
		if _, held := sockets[link]; held && err == nil {
			return link
		}
	}
	return ""
}

// shellQuote makes one word of a path for a shell to which it is pasted.
func shellQuote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
