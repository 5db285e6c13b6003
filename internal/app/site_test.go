package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

// browser is somebody at the page of a server.
type browser struct {
	*http.Client
	t    *testing.T
	page string // its address
}

func browse(t *testing.T, r *running) *browser {
	t.Helper()
	jar, _ := cookiejar.New(nil) // no options, no error
	return &browser{t: t, page: strings.TrimSuffix(r.page.URL, "/"), Client: &http.Client{
		Jar: jar, Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the certificate is the test's own
		},
	}}
}

func (b *browser) send(method, path, kind, body string) (status int, text string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.page+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// signIn says whether the password was good.
func (b *browser) signIn(password string) bool {
	b.t.Helper()
	b.send(http.MethodPost, "/login", "application/x-www-form-urlencoded", url.Values{"password": {password}}.Encode())
	return b.status() == http.StatusOK
}

func (b *browser) status() int {
	status, _ := b.send(http.MethodGet, "/api/v1/session", "", "")
	return status
}

func (b *browser) cookie() string {
	u, _ := url.Parse(b.page)
	for _, c := range b.Jar.Cookies(u) {
		return c.Value
	}
	return ""
}

func TestFirstPasswordOpensThePage(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 1)
	first := r.page.Password
	if told, err := api.WebPassword.Do(t.Context(), r.api, api.None{}); err != nil || told != first || first.Password == "" {
		t.Fatalf("the socket tells of another password: %v", err)
	}
	b := browse(t, r)
	if !b.signIn(first.Password) {
		t.Fatal("the first password is not good")
	}
	if _, text := b.send(http.MethodGet, "/api/v1/session", "", ""); !strings.Contains(text, `"version":"v9","simulated":true,"first_password":true`) {
		t.Errorf("%s", text)
	}
	if _, text := b.send(http.MethodGet, "/api/v1/consoles", "", ""); !strings.Contains(text, "Simulated PS4") {
		t.Errorf("%s", text)
	}
	renewed, err := api.RenewWebPassword.Do(t.Context(), r.api, api.None{})
	if err != nil || renewed == first || b.status() != http.StatusUnauthorized {
		t.Errorf("a new password: %v, the old session answers %d", err, b.status())
	}
	r.stop()
	again := serve(t, r.state, loopback, 1)
	if again.page.Password != renewed || !browse(t, again).signIn(renewed.Password) {
		t.Error("after a restart the password is another one")
	}
}

// TestWrongPasswordsAreLoggedAndCounted, without what was typed.
func TestWrongPasswordsAreLoggedAndCounted(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 0)
	const typed = "my other password"
	if b := browse(t, r); b.signIn(typed) || !b.signIn(r.page.Password.Password) {
		t.Fatal("the wrong password is good, or the right one is not")
	}
	scrape(t, r).has(t, "wrong_passwords_total 1")
	text := r.log.String()
	if !strings.Contains(text, `level=warning msg="failed web sign-in" address=127.0.0.1`) || strings.Contains(text, typed) {
		t.Errorf("the log:\n%s", text)
	}
}

// TestSecretsOfThePageStayWhereTheyBelong: at the most talkative log level, and in every
// file of the state directory.
func TestSecretsOfThePageStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 1)
	first := r.page.Password.Password
	b := browse(t, r)
	b.signIn("wrong guess")
	b.signIn(first)
	_, text := b.send(http.MethodPost, "/api/v1/tokens", "application/json", `{"name":"script","access":"control"}`)
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.Token == "" {
		t.Fatalf("%s: %v", text, err)
	}
	secrets := map[string]string{"first password": first, "wrong password": "wrong guess", "cookie": b.cookie(), "token": made.Token}
	if b.cookie() == "" {
		t.Fatal("there is no cookie")
	}
	for name, secret := range secrets {
		in := strings.Join(filesWith(t, r.state, secret), " ")
		if want := map[string]string{"first password": "web.json web.json.copy"}[name]; in != want {
			t.Errorf("the %s is in the files %q, want %q", name, in, want)
		}
	}
	if info, err := os.Stat(filepath.Join(r.state, "web.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if status, text := b.send(http.MethodPut, "/api/v1/password", "application/json", `{"current":"`+first+`","new":"chosen by me"}`); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, text)
	}
	secrets["chosen password"] = "chosen by me"
	for name, secret := range secrets {
		if in := filesWith(t, r.state, secret); len(in) > 0 {
			t.Errorf("after the change the %s is in %v", name, in)
		}
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the %s is in the log", name)
		}
	}
}

// filesWith lists the files below a directory that hold a text.
func filesWith(t *testing.T, dir, text string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPasswordOfTheConfigurationOpensThePage(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("from the file"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, shortDir(t), strings.Replace(loopback, "web: {", "web: {password_hash: "+string(hash)+", ", 1), 0)
	if !r.page.Configured || r.page.Password.Password != "" || !browse(t, r).signIn("from the file") {
		t.Errorf("configured: %v", r.page.Configured)
	}
	if _, err := api.RenewWebPassword.Do(t.Context(), r.api, api.None{}); err == nil {
		t.Error("a new password was made")
	}
}

func TestDamagedPasswordIsReplaced(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 0)
	r.stop()
	file := filepath.Join(r.state, "web.json")
	damage(t, file, `{"version":1,"data":{"x`)
	again := serve(t, r.state, loopback, 0)
	if !browse(t, again).signIn(again.page.Password.Password) || browse(t, again).signIn(r.page.Password.Password) {
		t.Error("the new password is not the one that counts")
	}
	if _, err := os.Stat(file + ".damaged-1"); err != nil || !strings.Contains(again.log.String(), "ps4kit web password") {
		t.Errorf("%v\n%s", err, again.log)
	}
}

// certificate writes a certificate and its key, and returns the configuration of both.
func certificate(t *testing.T) (yaml, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Replace(loopback, "web: {", "web: {tls_cert: "+certFile+", tls_key: "+keyFile+", ", 1), keyFile
}

func TestPageOverTLS(t *testing.T) {
	t.Parallel()
	yaml, keyFile := certificate(t)
	r := serve(t, shortDir(t), yaml+"\nlog: {level: debug}\n", 0)
	if !strings.HasPrefix(r.page.URL, "https://127.0.0.1:") {
		t.Errorf("the page is at %s", r.page.URL)
	}
	b := browse(t, r)
	if !b.signIn(r.page.Password.Password) {
		t.Error("the first password is not good")
	}
	if _, text := b.send(http.MethodGet, "/api/v1/session", "", ""); !strings.Contains(text, `"tls":true`) {
		t.Errorf("%s", text)
	}
	b.page = strings.Replace(b.page, "https:", "http:", 1)
	if status, _ := b.send(http.MethodGet, "/", "", ""); status != http.StatusBadRequest {
		t.Errorf("%d without encryption", status)
	}
	waitUntil(t, "a failed handshake is logged for those who look for it", func() bool { // after the answer
		return strings.Contains(r.log.String(), `level=debug msg="http: TLS handshake error from 127.0.0.1:`)
	})
	r.stop()
	c := load(t, yaml)
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	store := open(t, shortDir(t))
	defer store.Close()
	var e *api.Error
	if err := app.Run(t.Context(), app.Options{Config: c, State: store, Log: quiet()}); !errors.As(err, &e) || e.Code != "config" || !strings.Contains(e.Message, "web.tls_key") {
		t.Errorf("with a key that is gone: %v", err)
	}
}
