package api

import "time"

// States of a console.
const (
	StateAwake       = "awake"
	StateStandby     = "standby"
	StateUnreachable = "unreachable"
)

// Origins of a known console.
const (
	OriginConfigured = "configured" // by config.yaml, or simulated
	OriginAccepted   = "accepted"   // added, named or linked by the owner
	OriginFound      = "found"      // by a search
)

// Protocols of a console.
const (
	ProtocolSecondScreen = "second_screen"
	ProtocolRemotePlay   = "remote_play"
)

// Console is a console as every command prints it. An empty field is unknown.
type Console struct {
	Address       string `json:"address" doc:"ADDR, or ADDR:DDPPORT if the port is not 987"`
	HostID        string `json:"host_id" doc:"12 hexadecimal digits"`
	HostType      string `json:"host_type" doc:"PS4 or PS5"`
	Name          string `json:"name"`
	State         string `json:"state" enum:"awake,standby,unreachable"`
	RequestPort   uint16 `json:"request_port" doc:"TCP port"`
	SystemVersion string `json:"system_version" doc:"for example 09508011"`
	TitleID       string `json:"title_id" doc:"running title; empty if none"`
	TitleName     string `json:"title_name"`
	Protocol      string `json:"protocol,omitempty" enum:"second_screen,remote_play" doc:"which protocol commands use"`
	Registered    bool   `json:"registered,omitempty" doc:"linked for Remote Play"`
	Can           Can    `json:"can"`
	Origin        string `json:"origin,omitempty" enum:"configured,accepted,found" doc:"how it is known, in the list of known consoles: from config.yaml, accepted by the owner, or only found"`
}

// Can lists what commands can do with a console besides power and the PS
// button.
type Can struct {
	Titles   bool `json:"titles" doc:"start titles"`
	Keys     bool `json:"keys" doc:"press buttons other than ps"`
	Keyboard bool `json:"keyboard" doc:"type on the on-screen keyboard"`
}

// Overview is everything the page's first section shows.
type Overview struct {
	Consoles []Card   `json:"consoles"`
	Release  *Release `json:"release,omitempty" doc:"newer than this server"`
}

// Release is a released version of ps4kit.
type Release struct {
	Version string `json:"version" example:"v1.2.0"`
	URL     string `json:"url" doc:"of its description"`
}

// Card is a console with everything the page shows about it.
type Card struct {
	Console
	Active       bool      `json:"active" doc:"on, as HomeKit shows it: the requested state until the console confirms or refuses"`
	Starting     string    `json:"starting" doc:"title that was chosen but is not running yet; empty if none"`
	Pursuing     string    `json:"pursuing,omitempty" enum:"awake,standby,title,home" doc:"what the running command is to bring about; with title, see starting"`
	Working      bool      `json:"working" doc:"a command is running"`
	SessionOpen  bool      `json:"session_open"`
	KeyboardOpen bool      `json:"keyboard_open" doc:"the on-screen keyboard is open; known only while a session is open"`
	LastSeen     time.Time `json:"last_seen,omitzero"`
	Identified   time.Time `json:"identified,omitzero" doc:"when Home last asked the console to identify itself"`
	LastError    *Error    `json:"last_error,omitempty"`
	LastErrorAt  time.Time `json:"last_error_at,omitzero"`
	Accepted     bool      `json:"accepted" doc:"configured, or accepted by the owner; the credential is sent to no other console"`
	Credential   bool      `json:"credential" doc:"a credential is stored or configured"`
	Account      bool      `json:"account" doc:"an account id is stored, which a link for Remote Play needs"`
	Linked       bool      `json:"linked" doc:"it accepted a PIN or a session of this program"`
	Tested       bool      `json:"tested" doc:"commands of this program put it into rest mode and turned it on again"`
	Offered      bool      `json:"offered" doc:"offered to HomeKit"`
	Paired       bool      `json:"paired"`
	Cover        string    `json:"cover,omitempty" doc:"path of the running title's cover, if it is cached"`
	Simulated    bool      `json:"simulated"`
}

// Keyboard is a console's on-screen keyboard.
type Keyboard struct {
	Text      string `json:"text"`
	MaxLength int    `json:"max_length" doc:"UTF-16 units; 0 if unknown"`
}

// Title is an input of a console. The two fixed inputs have the ids HOME and
// OTHER.
type Title struct {
	ID         string    `json:"id" doc:"for example CUSA00129; HOME and OTHER are the fixed inputs"`
	Name       string    `json:"name" doc:"as HomeKit shows it"`
	Title      string    `json:"title,omitempty" doc:"as the console calls it"`
	Identifier int       `json:"identifier" doc:"the input's identifier in HomeKit"`
	Configured bool      `json:"configured"`
	Pinned     bool      `json:"pinned"`
	Hidden     bool      `json:"hidden"`
	Renamed    bool      `json:"renamed"`
	Missing    bool      `json:"missing,omitempty" doc:"the console last refused to start it as not installed"`
	LastPlayed time.Time `json:"last_played,omitzero"`
}

// ImportTitle is a title to import.
type ImportTitle struct {
	ID         string    `json:"id" doc:"title id, content id or PS Store address" example:"CUSA00129"`
	Name       string    `json:"name,omitempty" example:"Netflix"`
	ImageURL   string    `json:"image_url,omitempty" doc:"its cover, on a host of Sony"`
	LastPlayed time.Time `json:"last_played,omitzero"`
}

// Imported lists the ids of titles that were imported.
type Imported struct {
	Added  []string `json:"added" doc:"new inputs"`
	Known  []string `json:"known" doc:"inputs already; they keep their names and everything else"`
	NoSlot []string `json:"no_slot" doc:"left out, because all inputs are in use"`
}

// Library tells where title ids come from.
type Library struct {
	Country   string     `json:"country" doc:"code of two letters" example:"de"`
	Apps      []MediaApp `json:"apps" doc:"whose title id is known in the country"`
	ListURL   string     `json:"list_url" doc:"a public list of title ids"`
	SignInURL string     `json:"sign_in_url" doc:"where to sign in before npsso_url"`
	NPSSOURL  string     `json:"npsso_url" doc:"shows the npsso token of a browser that is signed in"`
}

// MediaApp is an app with its title id in a country.
type MediaApp struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// Picture is a title's cover.
type Picture struct {
	Data []byte
	Type string // "image/png" or another image type
	ETag string // quoted
}

// User is a PSN user. All of it is secret; it travels over the socket only.
type User struct {
	secret
	Credential string `json:"credential" doc:"64 hexadecimal digits" pattern:"^[0-9a-fA-F]{64}$" example:"0000000000000000000000000000000000000000000000000000000000000001"`
	Passcode   string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$" example:"1234"`
	AccountID  string `json:"account_id,omitempty" doc:"of PSN, which linking for Remote Play needs: decimal, or base64 of 8 bytes"`
}

// Accessory is a console as HomeKit sees it. SetupCode and SetupURI are secret,
// and empty once it is paired and while pairing is locked.
type Accessory struct {
	Name          string       `json:"name"`
	HostID        string       `json:"host_id" doc:"companion for the companion bridge"`
	DeviceID      string       `json:"device_id"`
	Address       string       `json:"address" doc:"of the HAP server, as seen from the console's network"`
	Port          int          `json:"port"`
	SetupCode     string       `json:"setup_code" doc:"empty once paired or locked"`
	SetupID       string       `json:"setup_id"`
	SetupURI      string       `json:"setup_uri" doc:"content of the QR code; empty once paired or locked"`
	Paired        bool         `json:"paired"`
	PairingLocked bool         `json:"pairing_locked" doc:"after too many wrong setup codes, until the pairings are removed"`
	Controllers   []Controller `json:"controllers"`
}

// LockedError returns the error of an accessory whose pairing is locked.
func (a Accessory) LockedError() *Error {
	return &Error{Code: "pairing_locked", Message: "pairing of " + a.Name + " is locked after too many wrong setup codes",
		Hint: "Unlock it with ps4kit homekit reset " + a.HostID + "."}
}

// Controller is a device that is paired with an accessory.
type Controller struct {
	ID    string `json:"id"`
	Admin bool   `json:"admin"`
}

// Setting is a configuration key with its effective value.
type Setting struct {
	Key      string `json:"key"`
	Value    string `json:"value" doc:"secrets read [redacted]"`
	Source   string `json:"source" doc:"default, page, FILE:LINE, a variable or a flag"`
	Waits    bool   `json:"waits" doc:"takes effect at the next start"`
	Editable bool   `json:"editable" doc:"the page can change it"`
}

// Restored describes a backup that is being restored.
type Restored struct {
	Created time.Time `json:"created" doc:"when the backup was made"`
	Files   []string  `json:"files"`
}

// Session describes the server to the page, and the page's own session.
type Session struct {
	Version       string    `json:"version"`
	Simulated     bool      `json:"simulated"`
	FirstPassword bool      `json:"first_password" doc:"the generated password has not been changed yet"`
	Expires       time.Time `json:"expires,omitzero" doc:"when an unused session ends; absent for tokens"`
	TLS           bool      `json:"tls"`
}

// Password is the password of the web page, in clear.
type Password struct {
	secret
	Password string `json:"password"`
}

// Token is an API token without its secret.
type Token struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Access   string    `json:"access" doc:"read or control; admin for tokens made by ps4kit before read existed"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used,omitzero" doc:"to the hour"`
}

// NewToken is a token with its secret, which is shown only once.
type NewToken struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Access string `json:"access" enum:"read,control"`
	Token  string `json:"token"`
}

// LogLine is a line of the log.
type LogLine struct {
	ID      uint64            `json:"id"`
	Time    time.Time         `json:"time"`
	Level   string            `json:"level" enum:"error,warn,info,debug"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}
