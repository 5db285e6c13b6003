package api

import (
	"fmt"
	"io"
	"time"
)

// MaxImport is how many titles one request can import: more than there are inputs.
const MaxImport = 500

// The requests of the operations. Fields with the tags path and query are in
// the URL, the others in the JSON body. A field that is left out is empty, and
// the service says if that is wrong. A pointer or a list is required, unless it
// has omitempty.
//
// A Host names a console by its host id, its name (in any case) or its address
// (ADDR or ADDR:DDPPORT); an empty Host means the only console there is. If no
// console or more than one fits, the error has the code not_found or ambiguous.
type (
	HostRequest struct {
		Host string `path:"host" json:"-"`
	}
	SearchRequest struct {
		Wait string `json:"wait" doc:"how long to wait for answers" example:"2s"`
	}
	AddConsoleRequest struct {
		Address string `json:"address" doc:"ADDR, ADDR:DDPPORT or a host name" example:"192.168.1.20"`
	}
	PowerRequest struct {
		Host  string `path:"host" json:"-"`
		State string `json:"state" enum:"awake,standby" example:"awake"`
		Wait  bool   `json:"wait,omitempty" doc:"with awake: answer once the console is on, within 60 s" example:"true"`
	}
	StartRequest struct {
		Host   string `path:"host" json:"-"`
		Title  string `json:"title" doc:"its id, or the name of an input" example:"CUSA00129"`
		NoQuit bool   `json:"no_quit,omitempty" doc:"fail with title_running if another title is running"`
	}
	KeysRequest struct {
		Host string   `path:"host" json:"-"`
		Keys []string `json:"keys" doc:"up, down, left, right, enter, back, option, ps, ps_hold or cancel; with Remote Play also triangle, square, share, touchpad, l1, r1, l2, r2, l3 or r3; ps:2000 holds for 2000 ms" example:"[\"up\",\"enter\",\"ps:2000\"]"`
	}
	NameRequest struct {
		Host string `path:"host" json:"-"`
		Name string `json:"name" doc:"1 to 64 bytes" example:"Den"`
	}
	PermitKeysRequest struct {
		Host string `path:"host" json:"-"`
		On   *bool  `json:"on" example:"true"`
	}
	TextRequest struct {
		Host string  `path:"host" json:"-"`
		Text *string `json:"text" example:"abc"`
	}
	SubmitRequest struct {
		Host string  `path:"host" json:"-"`
		Text *string `json:"text,omitempty" doc:"set before; absent keeps the current text" example:"abc"`
	}
	AddTitleRequest struct {
		Host string `path:"host" json:"-"`
		ID   string `json:"id" doc:"title id, content id, PS Store address, or the name of a media app" example:"CUSA00129"`
		Name string `json:"name,omitempty" doc:"empty for its own" example:"Films"`
	}
	ImportTitlesRequest struct {
		Host   string        `path:"host" json:"-"`
		Titles []ImportTitle `json:"titles" doc:"at most 500" example:"[{\"id\":\"CUSA00129\",\"name\":\"Netflix\"}]"`
		DryRun bool          `json:"dry_run,omitempty" doc:"change nothing" example:"true"`
	}
	PsnTitlesRequest struct { // spelled as its schema is called
		secret
		NPSSO      string `json:"npsso" doc:"64 characters, from https://ca.account.sony.com/api/v1/ssocookie; as secret as a password" example:"0123456789012345678901234567890123456789012345678901234567890123"`
		Credential bool   `json:"credential,omitempty" doc:"also store the account's credential for all consoles that have none of their own"`
	}
	LibraryRequest struct {
		Country string `query:"country" json:"-" doc:"code of two letters; default: art.country"`
	}
	TitleRequest struct {
		Host string `path:"host" json:"-"`
		ID   string `path:"id" json:"-" doc:"title id, or the name of an input" example:"CUSA00129"`
	}
	ChangeTitleRequest struct {
		Host   string  `path:"host" json:"-"`
		ID     string  `path:"id" json:"-" doc:"title id, or the name of an input" example:"CUSA00129"`
		Name   *string `json:"name,omitempty" doc:"empty restores its own"`
		Hidden *bool   `json:"hidden,omitempty" example:"true"`
		Pinned *bool   `json:"pinned,omitempty"`
	}
	OrderRequest struct {
		Host string   `path:"host" json:"-"`
		IDs  []string `json:"ids" example:"[\"HOME\",\"CUSA00129\"]"`
	}
	CoverRequest struct {
		ID   string `path:"id" json:"-" doc:"title id" example:"CUSA00129"`
		Size int    `query:"size" json:"-" doc:"longer side in pixels: 96 or 256; 0 for the original"`
	}
	LinkRequest struct {
		secret
		Host       string `path:"host" json:"-"`
		PIN        string `json:"pin" doc:"8 digits that the console shows" example:"12345678"`
		RemotePlay bool   `json:"remote_play,omitempty" doc:"link a PS4 for Remote Play; a PS5 always is"`
		AccountID  string `json:"account_id,omitempty" doc:"of PSN, for Remote Play: decimal, or base64 of 8 bytes; absent: the stored one"`
	}
	RegistrationRequest struct {
		secret
		Host      string `path:"host" json:"-"`
		HostID    string `json:"host_id" doc:"12 hexadecimal digits" example:"0123456789AB"`
		HostType  string `json:"host_type" enum:"PS4,PS5" example:"PS5"`
		Nickname  string `json:"nickname,omitempty" doc:"name of the console"`
		AccountID string `json:"account_id,omitempty" doc:"of PSN: decimal, or base64 of 8 bytes"`
		RegistKey string `json:"regist_key" doc:"8 hexadecimal digits" pattern:"^[0-9a-fA-F]{8}$" example:"d1e2f3a4"`
		RPKey     string `json:"rp_key" doc:"32 hexadecimal digits" pattern:"^[0-9a-fA-F]{32}$" example:"00112233445566778899aabbccddeeff"`
		KeyType   string `json:"key_type,omitempty"`
	}
	CredentialRequest struct {
		Host string `path:"host" json:"-"`
		User
	}
	AccountRequest struct {
		secret
		Host      string `path:"host" json:"-"`
		AccountID string `json:"account_id" doc:"decimal, or base64 of 8 bytes" example:"9019256736915509894"`
		Passcode  string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$"`
	}
	SignInRequest struct {
		secret
		Host     string `path:"host" json:"-"`
		Address  string `json:"address" doc:"of the last page of the sign-in that GET /psn names" example:"https://remoteplay.dl.playstation.net/remoteplay/redirect?code=v3.x"`
		Passcode string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$"`
	}
	CaptureRequest struct {
		secret
		Host     string `path:"host" json:"-"`
		Passcode string `json:"passcode,omitempty" doc:"4 digits" pattern:"^[0-9]{4}$"`
	}
	LogRequest struct {
		Level string `query:"level" json:"-" doc:"this level and above; default: debug" enum:"error,warn,info,debug"`
		Limit int    `query:"limit" json:"-" doc:"the last lines only; default: 500" range:"1,500"`
	}
	EventsRequest struct {
		Log   string `query:"log" json:"-" doc:"also send lines of the log, of this level and above; requires setup" enum:"error,warn,info,debug"`
		Limit int    `query:"limit" json:"-" doc:"begin with this many past lines of the log; default: none" range:"0,500"`
	}
	SettingRequest struct {
		Key   string  `path:"key" json:"-" doc:"of config.yaml" example:"poll.interval"`
		Value *string `json:"value,omitempty" doc:"as in config.yaml; absent restores the default" example:"2s"`
	}
	PasswordRequest struct {
		secret
		Current string `json:"current" doc:"may be empty in a session, while the generated password is in use" example:"old password"`
		New     string `json:"new" example:"new password"`
	}
	TokenRequest struct {
		Name   string `json:"name" example:"doorbell"`
		Access string `json:"access" enum:"read,control" example:"control"`
	}
	TokenIDRequest struct {
		ID string `path:"id" json:"-" doc:"id of a token" example:"abcd2345"`
	}
)

// None stands for no request, or no result.
type None struct{}

// secret keeps the struct that embeds it out of logs and errors under every
// verb.
type secret struct{}

// Format implements fmt.Formatter.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// validator is a request that can contradict itself.
type validator interface{ validate() error }

func (r SearchRequest) validate() error {
	if wait, err := time.ParseDuration(r.Wait); err != nil || wait < 0 {
		return errBadRequest(`wait must be a duration like "2s"`)
	}
	return nil
}

func (r PowerRequest) validate() error {
	switch {
	case r.State != StateAwake && r.State != StateStandby:
		return errBadRequest(`state must be "awake" or "standby"`)
	case r.State == StateStandby && r.Wait:
		return errBadRequest("wait is valid with the state awake only: standby always waits")
	}
	return nil
}

func (r ImportTitlesRequest) validate() error {
	if len(r.Titles) > MaxImport {
		return errBadRequest(fmt.Sprintf("at most %d titles can be imported at once", MaxImport))
	}
	return nil
}

// validate accepts one change only, so that no request is ever half done.
func (r ChangeTitleRequest) validate() error {
	given := 0
	for _, is := range []bool{r.Name != nil, r.Hidden != nil, r.Pinned != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errBadRequest("give exactly one of name, hidden and pinned")
	}
	return nil
}
