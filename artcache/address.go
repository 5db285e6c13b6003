package artcache

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // part of the address, protects nothing
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Keys of the hashes in addresses (docs/protocol.md §8).
const (
	keyMetadata = "F5DE66D2680E255B2DF79E74F890EBF349262F618BCAE2A9ACCDEE5156CE8DF2CDF2D48C71173CDC2594465B87405D197CF1AED3B7E9671EEB56CA6753C2E6B0"
	keyUpdates  = "AD62E37F905E06BC19593142281C112CEC0E7EC3E97EFDCAEFCDBAAFA6378D84"
)

// A Kind is a kind of address.
type Kind string

// The kinds of addresses (docs/protocol.md §8). The hashes in those of patches
// and additional content cannot be derived; other documents contain the
// addresses.
const (
	Metadata       Kind = "title metadata"
	UpdateXML      Kind = "update description"
	Patch          Kind = "file of a patch"
	PlayGoManifest Kind = "PlayGo manifest"
	AddonFile      Kind = "file of additional content"
	ContentIcon    Kind = "content icon"
	TitleContainer Kind = "title container"
	ContainerImage Kind = "image of a title container"
	Services       Kind = "service list"
	Launch         Kind = "application launch list"
	SystemList     Kind = "system update list"
)

// An Address is an address in its parts. A kind uses only some of them.
type Address struct {
	Kind      Kind
	TitleID   string // CUSA00135
	ContentID string // EP1018-CUSA00135_00-BATMANARKHAMKNHT
	Country   string // or region, two small letters
	Language  string // two small letters
	Query     string // of a content icon: "w=240&h=240", "w=240", "h=240" or empty
	Set       string // the number before the hash
	Hash      string // 64 hex digits
	Version   string // of a patch: "A0118-V0100"
	File      string // ".json", ".pkg"; of a patch also "-DP.pkg" and "_0.pkg", of additional content ".sha"
}

// String returns the address as documents contain it.
func (a Address) String() string {
	folder := fmt.Sprintf("prod/%s_00/%s/f_%s/f/", a.TitleID, a.Set, a.Hash)
	switch a.Kind {
	case Metadata:
		return fmt.Sprintf("http://%s/tmdb2/%s_00_%s/%[2]s_00.json", hostTMDB, a.TitleID, metadataHash(a.TitleID))
	case UpdateXML:
		return fmt.Sprintf("http://%s/plo/np/%s/%s/%[2]s-ver.xml", hostUpdates, a.TitleID, updatesHash(a.TitleID))
	case Patch:
		return "http://" + hostPackages + "/gs2/ppkgo/" + folder + a.ContentID + "-" + a.Version + a.File
	case PlayGoManifest:
		return "http://" + hostPackages + "/gs2/ppkgo/" + folder + "playgo-manifest.xml"
	case AddonFile:
		return "http://" + hostPackages + "/gs2/acpkgo/" + folder + a.ContentID + a.File
	case ContentIcon:
		return strings.TrimSuffix(fmt.Sprintf("https://%s/store/api/ps4/00_09_000/container/%s/%s/19/%s/image?%s",
			hostStore, strings.ToUpper(a.Country), a.Language, a.ContentID, a.Query), "?")
	case TitleContainer, ContainerImage:
		s := fmt.Sprintf("https://%s/store/api/chihiro/00_09_000/titlecontainer/%s/%s/999/%s_00",
			hostChihiro, a.Country, a.Language, a.TitleID)
		if a.Kind == ContainerImage {
			s += "/image"
		}
		return s
	case Services:
		return "https://" + hostLists + "/ps4-eb/servicelist/servicelist.xml"
	case Launch:
		return "https://" + hostLists + "/ps4-eb/applaunchlink/applaunchlink.xml"
	case SystemList:
		return fmt.Sprintf("http://f%s01.ps4.update.playstation.net/update/ps4/list/%[1]s/ps4-updatelist.xml", a.Country)
	}
	return ""
}

func metadataHash(titleID string) string {
	key, _ := hex.DecodeString(keyMetadata)
	mac := hmac.New(sha1.New, key)
	mac.Write([]byte(titleID + "_00"))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

func updatesHash(titleID string) string {
	key, _ := hex.DecodeString(keyUpdates)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("np_" + titleID))
	return hex.EncodeToString(mac.Sum(nil))
}

// ParseAddress takes apart an address that Address.String builds. It accepts
// http in place of https and the reverse, and a trailing slash.
func ParseAddress(s string) (Address, error) {
	_, rest, _ := strings.Cut(strings.TrimSuffix(s, "/"), "://")
	for kind, pattern := range patterns() {
		m := pattern.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		a := Address{Kind: kind}
		parts := map[string]*string{
			"title": &a.TitleID, "content": &a.ContentID, "country": &a.Country, "language": &a.Language, "query": &a.Query,
			"set": &a.Set, "hash": &a.Hash, "version": &a.Version, "file": &a.File,
		}
		for i, name := range pattern.SubexpNames() {
			if name != "" {
				*parts[name] = m[i]
			}
		}
		a.Country = strings.ToLower(a.Country)
		_, built, _ := strings.Cut(a.String(), "://")
		if scheme := strings.TrimSuffix(s[:strings.Index(s, "://")], "s"); built == rest && scheme == "http" {
			return a, nil
		}
	}
	return Address{}, fmt.Errorf("%w: %.300q", ErrAddress, s)
}

// patterns find the parts of an address behind its scheme. Building the address
// again from its parts checks the rest.
var patterns = sync.OnceValue(func() map[Kind]*regexp.Regexp {
	const (
		title   = titlePattern
		content = contentPattern
		folder  = `/prod/` + title + `_00/(?P<set>0|[1-9][0-9]{0,8})/f_(?P<hash>[0-9a-f]{64})/f/`
		region  = `/(?P<country>[A-Za-z]{2})/(?P<language>[a-z]{2})/`
	)
	return map[Kind]*regexp.Regexp{
		Metadata:       regexp.MustCompile(`/tmdb2/` + title + `_00_`),
		UpdateXML:      regexp.MustCompile(`/plo/np/` + title + `/`),
		Patch:          regexp.MustCompile(`/ppkgo` + folder + content + `-(?P<version>A[0-9]{4}-V[0-9]{4})(?P<file>\.json|(-DP|_(0|[1-9][0-9]{0,3}))?\.pkg)$`),
		PlayGoManifest: regexp.MustCompile(`/ppkgo` + folder + `playgo-manifest`),
		AddonFile:      regexp.MustCompile(`/acpkgo` + folder + content + `(?P<file>\.json|\.pkg|\.sha)$`),
		ContentIcon:    regexp.MustCompile(`/container` + region + `19/` + content + `/image(\?(?P<query>w=[0-9]{1,4}|h=[0-9]{1,4}|w=[0-9]{1,4}&h=[0-9]{1,4}))?$`),
		TitleContainer: regexp.MustCompile(`/titlecontainer` + region + `999/` + title + `_00$`),
		ContainerImage: regexp.MustCompile(`/titlecontainer` + region + `999/` + title + `_00/image$`),
		Services:       regexp.MustCompile(`/servicelist/`),
		Launch:         regexp.MustCompile(`/applaunchlink/`),
		SystemList:     regexp.MustCompile(`/update/ps4/list/(?P<country>[a-z]{2})/`),
	}
})

// ParseTitleID returns a title id in upper case and without a trailing "_00":
// "cusa00129_00" is CUSA00129. An id is four letters and five digits, and so
// safe in paths and addresses.
func ParseTitleID(s string) (string, error) {
	id := strings.TrimSuffix(s, "_00")
	if len(id) == 9 { // ToUpper turns some longer letters into ASCII
		id = strings.ToUpper(id)
	}
	if !isTitleID(id) {
		return "", fmt.Errorf("%w: %.32q", ErrTitleID, s)
	}
	return id, nil
}

func isTitleID(s string) bool {
	return len(s) == 9 && strings.Trim(s[:4], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && strings.Trim(s[4:], "0123456789") == ""
}

// isContentID reports whether s looks like
// EP1018-CUSA00135_00-BATMANARKHAMKNHT.
func isContentID(s string) bool { return contentID().MatchString(s) }

var contentID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^` + contentPattern + `$`) })

const (
	titlePattern   = `(?P<title>[A-Z]{4}[0-9]{5})`
	contentPattern = `(?P<content>[A-Z]{2}[0-9]{4}-[A-Z]{4}[0-9]{5}_[0-9]{2}-[A-Z0-9]{16})`
)

// isCode reports whether s is a country or language code: two small letters.
func isCode(s string) bool {
	return len(s) == 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// isLanguage reports whether s looks like "en" or "pt-BR".
func isLanguage(s string) bool {
	base, region, long := strings.Cut(s, "-")
	return isCode(base) && (!long || isCode(strings.ToLower(region)))
}
