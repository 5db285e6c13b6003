package artcache

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ps4kit/ps4kit/internal/text"
)

// A Document is the answer of a source.
type Document interface {
	Info | Product | Updates | PackageSet | PlayGo | ServiceList | LaunchList | SystemUpdates
}

// Parse reads a document, and makes its strings safe to print. It fails with
// ErrMalformed, or with ErrNotFound for an empty update description, which is
// sent for titles without updates.
func Parse[T Document](data []byte) (*T, error) {
	doc := new(T)
	var err error
	switch d := any(doc).(type) {
	case interface{ parse([]byte) error }:
		err = d.parse(data)
	default:
		err = decode(data, doc, xml.Unmarshal)
	}
	if err != nil {
		return nil, err
	}
	return doc, nil
}

// Info describes a title.
type Info struct {
	ID            string `json:"title_id"` // CUSA00129
	Names         []Name `json:"names"`    // the one without a language is the main name
	Icons         []Icon `json:"icons,omitempty"`
	Background    string `json:"background,omitempty"` // address of an image
	Pronunciation string `json:"pronunciation,omitempty"`
	Music         string `json:"music,omitempty"`
	ContentID     string `json:"content_id,omitempty"` // UP1004-CUSA03041_00-REDEMPTION000002
	Category      string `json:"category,omitempty"`   // "gd" is a game; the store has its own, such as "APP"
	Console       string `json:"console,omitempty"`    // "PS4"
	ParentalLevel int    `json:"parental_level"`
	Revision      int    `json:"revision"`
	PatchRevision int    `json:"patch_revision"`
	FormatVersion int    `json:"format_version"`
	FromStore     bool   `json:"from_store"` // from the title container, because there is no metadata
}

// A Name is a title's name in a language.
type Name struct {
	Text     string `json:"name"`
	Language string `json:"language,omitempty"` // "en", "pt-BR"; empty for the main name
}

// An Icon is the address of a cover.
type Icon struct {
	URL  string `json:"url"`
	Type string `json:"type,omitempty"` // "512x512"
}

func (i *Info) parse(data []byte) (err error) {
	var w struct {
		NpTitleID, Console, Pronunciation, ContentID, BackgroundImage, Bgm, Category string
		Revision, PatchRevision, FormatVersion, ParentalLevel                        int

		Names []struct{ Name, Lang string }
		Icons []struct{ Icon, Type string }
	}
	if err := decode(data, &w, json.Unmarshal); err != nil {
		return err
	}
	*i = Info{
		Background: w.BackgroundImage, Pronunciation: w.Pronunciation, Music: w.Bgm, ContentID: w.ContentID,
		Category: w.Category, Console: w.Console, ParentalLevel: w.ParentalLevel,
		Revision: w.Revision, PatchRevision: w.PatchRevision, FormatVersion: w.FormatVersion,
	}
	if i.ID, err = ParseTitleID(w.NpTitleID); err != nil {
		return malformed("not title metadata")
	}
	for _, n := range w.Names {
		if n.Name != "" {
			i.Names = append(i.Names, Name{n.Name, n.Lang})
		}
	}
	for _, icon := range w.Icons {
		if icon.Icon != "" {
			i.Icons = append(i.Icons, Icon{icon.Icon, icon.Type})
		}
	}
	if len(i.Names) == 0 {
		return malformed("a title without a name")
	}
	return nil
}

func (i *Info) titleID() string { return i.ID }

// Name returns the title's name for a language such as "en" or "pt-BR" and a
// country. In order of preference: the language of that country, the language,
// the language in another country, English, the main name, any.
func (i *Info) Name(language, country string) string {
	base := baseLanguage(language)
	for _, pattern := range []string{base + "-" + country, language, base, base + "-*", "en", "", "*"} {
		for _, n := range i.Names {
			if ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(n.Language)); ok {
				return n.Text
			}
		}
	}
	return ""
}

func baseLanguage(language string) string {
	base, _, _ := strings.Cut(language, "-")
	return base
}

// Product is a title container of the PS Store.
type Product struct {
	ContentID   string        `json:"content_id,omitempty"`
	Name        string        `json:"name"`
	ContentType []ContentType `json:"content_types,omitempty"`
	Provider    string        `json:"provider,omitempty"`
	ReleaseDate string        `json:"release_date,omitempty"` // RFC 3339
	Region      Region        `json:"region"`                 // where it was found
}

// A ContentType is a kind of product, such as name "App", key "APP".
type ContentType struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

func (p *Product) parse(data []byte) error {
	var w struct {
		ID        string
		TitleName string        `json:"title_name"`
		Types     []ContentType `json:"gameContentTypesList"`
		Provider  string        `json:"provider_name"`
		Released  string        `json:"release_date"`
	}
	if err := decode(data, &w, json.Unmarshal); err != nil {
		return err
	}
	if w.TitleName == "" {
		return malformed("not a title container")
	}
	if !isContentID().MatchString(w.ID) {
		w.ID = ""
	}
	*p = Product{ContentID: w.ID, Name: w.TitleName, ContentType: w.Types, Provider: w.Provider, ReleaseDate: w.Released}
	return nil
}

// info returns the description of a title that a container has.
func (p *Product) info(id string) *Info {
	info := &Info{ID: id, Names: []Name{{Text: p.Name}}, ContentID: p.ContentID, FromStore: true}
	if len(p.ContentType) > 0 {
		info.Category = p.ContentType[0].Key
	}
	return info
}

// Updates is a title's update description.
type Updates struct {
	XMLName  xml.Name `xml:"titlepatch" json:"-"`
	TitleID  string   `xml:"titleid,attr" json:"title_id"`
	Packages []Update `xml:"tag>package" json:"packages"`
}

// An Update is one package of an update description.
type Update struct {
	Version        string `xml:"version,attr" json:"version"` // "01.18"
	Size           int64  `xml:"size,attr" json:"size"`       // bytes
	Digest         string `xml:"digest,attr" json:"digest,omitempty"`
	Manifest       string `xml:"manifest_url,attr" json:"manifest_url,omitempty"` // update description JSON: see Packages
	ContentID      string `xml:"content_id,attr" json:"content_id,omitempty"`
	SystemVersion  string `xml:"system_ver,attr" json:"system_version,omitempty"` // as sent
	RequiredSystem string `xml:"-" json:"required_system"`                        // SystemVersion as a console shows it: "9.50"
	Type           string `xml:"type,attr" json:"type,omitempty"`
	Title          string `xml:"paramsfo>title" json:"title,omitempty"`

	Delta struct { // the cumulative package
		URL string `xml:"url,attr" json:"url,omitempty"`
	} `xml:"delta_info_set" json:"delta"`
}

func (u *Updates) parse(data []byte) (err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return fmt.Errorf("%w: no updates", ErrNotFound)
	}
	if err := decode(data, u, xml.Unmarshal); err != nil {
		return err
	}
	if u.TitleID, err = ParseTitleID(u.TitleID); err != nil {
		return malformed("not an update description")
	}
	for i := range u.Packages {
		p := &u.Packages[i]
		p.RequiredSystem = systemVersion(p.SystemVersion)
	}
	return nil
}

func (u *Updates) titleID() string { return u.TitleID }

// Latest returns the package with the highest version, nil if there is none.
func (u *Updates) Latest() *Update {
	var best *Update
	for i := range u.Packages {
		if p := &u.Packages[i]; best == nil || p.Version > best.Version { // "01.18": fixed width
			best = p
		}
	}
	return best
}

// systemVersion formats a system_ver. Readers of these documents say that it is
// the decimal form of a number whose hex digits are the version: 33751040 is
// 2.03. Anything else is returned unchanged.
func systemVersion(s string) string {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n < 1<<24 {
		return s
	}
	return fmt.Sprintf("%x.%02x", n>>24, n>>16&0xff)
}

// PackageSet is an update description JSON, or that of additional content: the
// pieces of a package. There are as many as the document states, and none
// reaches outside the whole.
type PackageSet struct {
	Size   int64   `json:"size"` // bytes of the whole
	Digest string  `json:"digest,omitempty"`
	Pieces []Piece `json:"pieces"`
}

// A Piece is one file of a package.
type Piece struct {
	URL    string `json:"url"`
	Offset int64  `json:"offset"` // bytes
	Size   int64  `json:"size"`   // bytes
	Hash   string `json:"hash,omitempty"`
}

func (s *PackageSet) parse(data []byte) error {
	var w struct {
		OriginalFileSize   int64
		PackageDigest      string
		NumberOfSplitFiles int
		Pieces             []struct {
			URL    string
			Offset int64  `json:"fileOffset"`
			Size   int64  `json:"fileSize"`
			Hash   string `json:"hashValue"`
		}
	}
	if err := decode(data, &w, json.Unmarshal); err != nil {
		return err
	}
	if len(w.Pieces) == 0 || len(w.Pieces) != w.NumberOfSplitFiles {
		return malformed("%d pieces of %d", len(w.Pieces), w.NumberOfSplitFiles)
	}
	*s = PackageSet{Size: w.OriginalFileSize, Digest: w.PackageDigest}
	for _, p := range w.Pieces {
		if p.Offset < 0 || p.Size < 0 || p.Offset > s.Size || p.Size > s.Size-p.Offset {
			return malformed("a piece outside its package")
		}
		s.Pieces = append(s.Pieces, Piece(p))
	}
	return nil
}

// PlayGo is a PlayGo manifest: the chunks of a patch, and the scenarios in
// which they are installed. Its shape is that of the manifests inside packages.
type PlayGo struct {
	XMLName   xml.Name   `xml:"psproject" json:"-"`
	Chunks    []Chunk    `xml:"volume>chunk_info>chunks>chunk" json:"chunks"`
	Scenarios []Scenario `xml:"volume>chunk_info>scenarios>scenario" json:"scenarios"`
}

// A Chunk is a part of a title that can be installed by itself.
type Chunk struct {
	ID    int    `xml:"id,attr" json:"id"`
	Label string `xml:"label,attr" json:"label,omitempty"`
}

// A Scenario is an order in which chunks are installed.
type Scenario struct {
	ID      int    `xml:"id,attr" json:"id"`
	Type    string `xml:"type,attr" json:"type,omitempty"`
	Label   string `xml:"label,attr" json:"label,omitempty"`
	Initial int    `xml:"initial_chunk_count,attr" json:"initial_chunks"` // needed before the title starts
}

// ServiceList lists the services with the countries where they are allowed.
type ServiceList struct {
	XMLName  xml.Name  `xml:"servicelist" json:"-"`
	Version  string    `xml:"version,attr" json:"version"`
	Platform string    `xml:"platform,attr" json:"platform"`
	Services []Service `xml:"service" json:"services"`
}

// A Service is allowed or denied by default, with exceptions by country.
type Service struct {
	Name    string    `xml:"name,attr" json:"name"`       // "SNS005"
	Default string    `xml:"default,attr" json:"default"` // "allow" or "deny"
	Allow   []Country `xml:"allow" json:"allow,omitempty"`
	Deny    []Country `xml:"deny" json:"deny,omitempty"`
}

// A Country is an exception.
type Country struct {
	Code string `xml:"country,attr" json:"country"` // "jp"
}

// Allowed reports whether the service is allowed in a country; a denial wins.
func (s *Service) Allowed(country string) bool {
	listed := func(list []Country) bool {
		return slices.ContainsFunc(list, func(c Country) bool { return strings.EqualFold(c.Code, country) })
	}
	return !listed(s.Deny) && (listed(s.Allow) || s.Default == "allow")
}

// LaunchList is the application launch list.
type LaunchList struct {
	MinSystemVersion string   `json:"min_system_version"` // "01.700.000"
	BlackList        []string `json:"title_black_list"`   // title ids
}

// parse reads the list. The black list of the only known one is empty, so
// anything in it that looks like a title id counts.
func (l *LaunchList) parse(data []byte) error {
	var w struct {
		XMLName xml.Name `xml:"applaunchlink"`
		System  struct {
			Min string `xml:"min_system_ver,attr"`
		} `xml:"system_info"`
		Black struct {
			XML string `xml:",innerxml"`
		} `xml:"title_black_list"`
	}
	if err := decode(data, &w, xml.Unmarshal); err != nil {
		return err
	}
	ids := regexp.MustCompile(titlePattern).FindAllString(w.Black.XML, -1)
	*l = LaunchList{MinSystemVersion: w.System.Min, BlackList: append([]string{}, slices.Compact(ids)...)}
	return nil
}

// SystemUpdates is the system update list of a region, in the shape of lists
// that other readers quote.
type SystemUpdates struct {
	XMLName xml.Name       `xml:"update_data_list" json:"-"`
	Regions []SystemRegion `xml:"region" json:"regions"`
}

// A SystemRegion is the part of a list about one region. Recovery is the whole
// system software, for a console that has none.
type SystemRegion struct {
	ID       string       `xml:"id,attr" json:"region"` // "us"
	System   SystemUpdate `xml:"system_pup" json:"system"`
	Recovery []struct {
		Type   string       `xml:"type,attr" json:"type"`
		System SystemUpdate `xml:"system_pup" json:"system"`
		Images []ImageFile  `xml:"image" json:"images,omitempty"`
	} `xml:"recovery_pup" json:"recovery,omitempty"`
}

// A SystemUpdate is a version of the system software.
type SystemUpdate struct {
	Version    string      `xml:"version,attr" json:"version"` // "09.508.000"
	Label      string      `xml:"label,attr" json:"label"`     // "9.50"
	SDKVersion string      `xml:"sdk_version,attr" json:"sdk_version"`
	Images     []ImageFile `xml:"update_data>image" json:"images,omitempty"`
}

// An ImageFile is a file of system software. Nothing here downloads it.
type ImageFile struct {
	Size int64  `xml:"size,attr" json:"size"` // bytes
	URL  string `xml:",chardata" json:"url"`
}

func (u *SystemUpdates) parse(data []byte) error {
	err := decode(data, u, xml.Unmarshal)
	if err == nil && len(u.Regions) == 0 {
		return malformed("not a system update list")
	}
	return err
}

// decode reads a document and makes its strings safe to print. Nothing here
// guards against entity bombs: encoding/xml refuses entities that a document
// declares, and limits nesting as encoding/json does.
func decode(data []byte, v any, unmarshal func([]byte, any) error) error {
	if err := unmarshal(data, v); err != nil {
		return malformed("%v", err)
	}
	cleanAll(reflect.ValueOf(v))
	return nil
}

// cleanAll applies clean to every string in a decoded document.
func cleanAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		cleanAll(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			cleanAll(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			cleanAll(v.Index(i))
		}
	case reflect.String:
		v.SetString(clean(v.String()))
	}
}

// maxText limits one string from a document, in bytes.
const maxText = 512

// clean returns a string as one line without invisible characters, of at most
// maxText bytes. Trademark signs stay: they belong to the name.
func clean(s string) string {
	s = strings.Join(strings.Fields(text.Line(s)), " ")
	return text.Line(text.Truncate(s, maxText)) // a space or a joiner may be at its end now
}
