package artcache

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A File is one of the files of a patch or of additional content: what stands
// at the end of its address (docs/protocol.md §8).
type File string

// Files of a patch; those of additional content are DescriptionFile,
// PackageFile and DigestFile.
const (
	DescriptionFile File = ".json"
	PackageFile     File = ".pkg"
	DeltaFile       File = "-DP.pkg" // cumulative
	DigestFile      File = ".sha"
	PlayGoFile      File = "playgo-manifest.xml" // beside the others
)

// ChunkFile is chunk n, from 0, of a patch.
func ChunkFile(n int) File { return File("_" + strconv.Itoa(n) + ".pkg") }

// Chunk returns the number of a ChunkFile.
func (f File) Chunk() (n int, ok bool) {
	digits, _ := strings.CutPrefix(string(f), "_")
	digits, _ = strings.CutSuffix(digits, ".pkg")
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0 && ChunkFile(n) == f
}

// A PackageAddress is where the files of one patch live. The hash cannot be
// derived: other documents give it.
type PackageAddress struct {
	TitleID    string // CUSA00135
	Set        int    // the number before the hash, 0 to 999999999
	Hash       string // 64 hex digits
	ContentID  string // EP1018-CUSA00135_00-BATMANARKHAMKNHT; empty for a PlayGoFile
	AppVersion string // "0118" is 1.18; empty for a PlayGoFile
	Version    string // "0100"; empty for a PlayGoFile
}

// An AddonAddress is where the files of one additional content live. The hash
// cannot be derived: other documents give it.
type AddonAddress struct {
	TitleID   string // CUSA00135
	Set       int    // the number before the hash, 0 to 999999999
	Hash      string // 64 hex digits
	ContentID string // EP1018-CUSA00135_00-ETH0000000000079
}

// File returns the address of one of the patch's files.
func (a PackageAddress) File(f File) string {
	if f == PlayGoFile {
		return folder("ppkgo", a.TitleID, a.Set, a.Hash) + string(f)
	}
	return folder("ppkgo", a.TitleID, a.Set, a.Hash) + a.ContentID + "-A" + a.AppVersion + "-V" + a.Version + string(f)
}

// File returns the address of one of the content's files.
func (a AddonAddress) File(f File) string {
	return folder("acpkgo", a.TitleID, a.Set, a.Hash) + a.ContentID + string(f)
}

func folder(kind, titleID string, set int, hash string) string {
	return fmt.Sprintf("http://%s/gs2/%s/prod/%s_00/%d/f_%s/f/", hostPackages, kind, titleID, set, hash)
}

// ParsePackageAddress reads the address of any file of a patch.
func ParsePackageAddress(s string) (PackageAddress, File, error) {
	var a PackageAddress
	name, err := parseFolder(s, "ppkgo", &a.TitleID, &a.Set, &a.Hash)
	f := PlayGoFile
	if err == nil && name != string(PlayGoFile) && len(name) > 48 {
		// EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100.json
		a.ContentID, a.AppVersion, a.Version, f = name[:36], name[38:42], name[44:48], File(name[48:])
		err = a.check(f)
	}
	if err != nil || a.File(f) != asHTTP(s) {
		return PackageAddress{}, "", fmt.Errorf("%w: %.300q is no file of a patch", ErrAddress, s)
	}
	return a, f, nil
}

// check refuses a name that is not that of a patch's file.
func (a PackageAddress) check(f File) error {
	_, chunk := f.Chunk()
	known := chunk || f == DescriptionFile || f == PackageFile || f == DeltaFile
	if !known || !isContentID(a.ContentID) || !all(a.AppVersion+a.Version, isDigit) {
		return ErrAddress
	}
	return nil
}

// ParseAddonAddress reads the address of any file of additional content.
func ParseAddonAddress(s string) (AddonAddress, File, error) {
	var a AddonAddress
	name, err := parseFolder(s, "acpkgo", &a.TitleID, &a.Set, &a.Hash)
	if err != nil || len(name) <= 36 || !isContentID(name[:36]) {
		return AddonAddress{}, "", fmt.Errorf("%w: %.300q is no additional content", ErrAddress, s)
	}
	a.ContentID = name[:36]
	f := File(name[36:])
	if (f != DescriptionFile && f != PackageFile && f != DigestFile) || a.File(f) != asHTTP(s) {
		return AddonAddress{}, "", fmt.Errorf("%w: %.300q is no file of additional content", ErrAddress, s)
	}
	return a, f, nil
}

// parseFolder reads /gs2/KIND/prod/CUSA00135_00/21/f_HASH/f/ and returns the
// name of the file in it.
func parseFolder(s, kind string, titleID *string, set *int, hash *string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", ErrAddress
	}
	p := strings.Split(u.Path, "/")
	if len(p) != 9 || p[2] != kind || len(p[4]) != 12 || !isTitleID(p[4][:9]) || len(p[5]) > 9 || len(p[6]) != 66 {
		return "", ErrAddress
	}
	*titleID, *hash = p[4][:9], p[6][2:]
	*set, err = strconv.Atoi(p[5])
	if err != nil || *set < 0 || !all(*hash, isHex) {
		return "", ErrAddress
	}
	return p[8], nil
}

func isHex(b byte) bool { return isDigit(b) || 'a' <= b && b <= 'f' }

// asHTTP returns an https address as the documents write it, with http.
func asHTTP(s string) string {
	if rest, ok := strings.CutPrefix(s, "https://"); ok {
		return "http://" + rest
	}
	return s
}
