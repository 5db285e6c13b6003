package artcache

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // part of the address, protects nothing
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"regexp"
	"strings"
	"sync"
	"time"
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

// A source describes an address of some kind and how its answer is cached.
// Names in braces stand for the parts of an Address; {hmac} is computed from
// the title id, and {url} is the hash of the whole address.
type source struct {
	url   string
	key   string        // in the store; empty for an image
	fresh time.Duration // how long a document is served without asking again
}

const (
	folder = "prod/{title}_00/{set}/f_{hash}/f/"
	store2 = "/store/api/chihiro/00_09_000/titlecontainer/{country}/{language}/999/{title}_00"
	day    = 24 * time.Hour
)

// sources are the addresses as documents contain them.
var sources = sync.OnceValue(func() map[Kind]source {
	return map[Kind]source{
		Metadata:       {"http://" + hostTMDB + "/tmdb2/{title}_00_{hmac}/{title}_00.json", "info/{title}", 7 * day},
		UpdateXML:      {"http://" + hostUpdates + "/plo/np/{title}/{hmac}/{title}-ver.xml", "updates/{title}", 6 * time.Hour},
		Patch:          {"http://" + hostPackages + "/gs2/ppkgo/" + folder + "{content}-{version}{file}", "packages/{url}", 30 * day},
		PlayGoManifest: {"http://" + hostPackages + "/gs2/ppkgo/" + folder + "playgo-manifest.xml", "packages/{url}", 30 * day},
		AddonFile:      {"http://" + hostPackages + "/gs2/acpkgo/" + folder + "{content}{addon}", "packages/{url}", 30 * day},
		ContentIcon:    {"https://" + hostStore + "/store/api/ps4/00_09_000/container/{COUNTRY}/{language}/19/{content}/image{query}", "", 0},
		TitleContainer: {"https://" + hostChihiro + store2, "container/{country}-{language}-{title}", 7 * day},
		ContainerImage: {"https://" + hostChihiro + store2 + "/image", "", 0},
		Services:       {"https://" + hostLists + "/ps4-eb/servicelist/servicelist.xml", "lists/services", day},
		Launch:         {"https://" + hostLists + "/ps4-eb/applaunchlink/applaunchlink.xml", "lists/launch", day},
		SystemList:     {"http://f{country}01.ps4.update.playstation.net/update/ps4/list/{country}/ps4-updatelist.xml", "lists/system-{country}", day},
	}
})

// String returns the address as documents contain it.
func (a Address) String() string { return a.fill(sources()[a.Kind].url) }

// fill replaces the names in a template.
func (a Address) fill(template string) string {
	var mac, query string
	switch {
	case !strings.Contains(template, "{hmac}"):
	case a.Kind == Metadata:
		mac = strings.ToUpper(keyed(sha1.New, keyMetadata, a.TitleID+"_00"))
	default:
		mac = keyed(sha256.New, keyUpdates, "np_"+a.TitleID)
	}
	if a.Query != "" {
		query = "?" + a.Query
	}
	return strings.NewReplacer(
		"{title}", a.TitleID, "{content}", a.ContentID, "{country}", a.Country, "{COUNTRY}", strings.ToUpper(a.Country),
		"{language}", a.Language, "{query}", query, "{set}", a.Set, "{hash}", a.Hash, "{version}", a.Version,
		"{file}", a.File, "{addon}", a.File, "{hmac}", mac,
	).Replace(template)
}

// Keys of the hashes in addresses (docs/protocol.md §8).
const (
	keyMetadata = "F5DE66D2680E255B2DF79E74F890EBF349262F618BCAE2A9ACCDEE5156CE8DF2CDF2D48C71173CDC2594465B87405D197CF1AED3B7E9671EEB56CA6753C2E6B0"
	keyUpdates  = "AD62E37F905E06BC19593142281C112CEC0E7EC3E97EFDCAEFCDBAAFA6378D84"
)

func keyed(algorithm func() hash.Hash, key, text string) string {
	secret, _ := hex.DecodeString(key)
	mac := hmac.New(algorithm, secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// ParseAddress takes apart an address that Address.String builds. It accepts
// http in place of https and the reverse, and a trailing slash.
func ParseAddress(s string) (Address, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(s, "/"), "://")
	for kind, pattern := range patterns() {
		m := pattern.FindStringSubmatch(rest)
		if m == nil || scheme != "http" && scheme != "https" {
			continue
		}
		part := map[string]string{}
		for i, name := range pattern.SubexpNames() {
			part[name] = m[i]
		}
		a := Address{
			Kind: kind, TitleID: part["title"], ContentID: part["content"],
			Country: strings.ToLower(part["country"] + part["COUNTRY"]), Language: part["language"],
			Query: strings.TrimPrefix(part["query"], "?"), Set: part["set"], Hash: part["hash"],
			Version: part["version"], File: part["file"] + part["addon"],
		}
		// A name that occurs twice must have had the same value both times.
		if _, built, _ := strings.Cut(a.String(), "://"); built == rest {
			return a, nil
		}
	}
	return Address{}, fmt.Errorf("%w: %.300q", ErrAddress, s)
}

// patterns match the addresses of each kind without their scheme.
var patterns = sync.OnceValue(func() map[Kind]*regexp.Regexp {
	list := map[Kind]*regexp.Regexp{}
	for kind, s := range sources() {
		_, pattern, _ := strings.Cut(regexp.QuoteMeta(s.url), "://")
		for name, part := range map[string]string{
			"title": titlePattern, "content": contentPattern, "country": `[a-z]{2}`, "COUNTRY": `[A-Z]{2}`, "language": `[a-z]{2}`,
			"query": `(?:\?(?:w=[0-9]{1,4}|h=[0-9]{1,4}|w=[0-9]{1,4}&h=[0-9]{1,4}))?`, "hmac": `[0-9A-Fa-f]+`,
			"set": `0|[1-9][0-9]{0,8}`, "hash": `[0-9a-f]{64}`, "version": `A[0-9]{4}-V[0-9]{4}`,
			"file": `\.json|(?:-DP|_(?:0|[1-9][0-9]{0,3}))?\.pkg`, "addon": `\.json|\.pkg|\.sha`,
		} {
			quoted := regexp.QuoteMeta("{" + name + "}")
			pattern = strings.Replace(pattern, quoted, "(?P<"+name+">"+part+")", 1)
			pattern = strings.ReplaceAll(pattern, quoted, "(?:"+part+")")
		}
		list[kind] = regexp.MustCompile("^" + pattern + "$")
	}
	return list
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

const titlePattern = `[A-Z]{4}[0-9]{5}`

const contentPattern = `[A-Z]{2}[0-9]{4}-[A-Z]{4}[0-9]{5}_[0-9]{2}-[A-Z0-9]{16}`

// isContentID matches content ids such as EP1018-CUSA00135_00-BATMANARKHAMKNHT.
var isContentID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^` + contentPattern + `$`) })

// isCode reports whether s is a country or language code: two small letters.
func isCode(s string) bool {
	return len(s) == 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// isLanguage reports whether s looks like "en" or "pt-BR".
func isLanguage(s string) bool {
	base, region, long := strings.Cut(s, "-")
	return isCode(base) && (!long || isCode(strings.ToLower(region)))
}
