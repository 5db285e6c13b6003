package hapserver

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Errors about setup codes never repeat the code.
var (
	errSetupCodeForm    = errors.New("a setup code has 8 digits, written 000-00-000")
	errSetupCodeTrivial = errors.New("this setup code is too easy to guess: HomeKit refuses equal digits, 12345678 and 87654321")
	errSetupID          = errors.New("a setup id has 4 characters of 0-9 and A-Z")
)

const (
	setupCodes       = 100_000_000
	setupIDAlphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	setupIDLen       = 4
	setupPayloadLen  = 9         // base-36 digits
	setupPayloadIP   = 2 << 27   // flag: the accessory speaks HAP over IP
	setupCategoryBit = 31        // the category's place in the payload
	setupURIPrefix   = "X-HM://" // docs/homekit.md §3
)

// NewSetupCode returns a random setup code such as 518-08-582; every valid code is equally likely.
func NewSetupCode() string {
	for {
		n := randomBelow(setupCodes)
		if code, err := FormatSetupCode(fmt.Sprintf("%08d", n)); err == nil {
			return code
		}
	}
}

// ValidSetupCode tells why a code, written 518-08-582 or 51808582, cannot be used: not 8 digits, or too easy to guess
// (docs/homekit.md §3). The error never repeats the code.
func ValidSetupCode(code string) error {
	_, err := FormatSetupCode(code)
	return err
}

// FormatSetupCode returns a code in the form in which HAP hashes and shows it, 518-08-582, or ValidSetupCode's error.
func FormatSetupCode(code string) (string, error) {
	digits, err := setupDigits(code)
	if err != nil {
		return "", err
	}
	if digits == "12345678" || digits == "87654321" || strings.Count(digits, digits[:1]) == len(digits) {
		return "", errSetupCodeTrivial
	}
	return digits[:3] + "-" + digits[3:5] + "-" + digits[5:], nil
}

// setupDigits takes the dashes out of 518-08-582.
func setupDigits(code string) (string, error) {
	if len(code) == 10 && code[3] == '-' && code[6] == '-' {
		code = code[:3] + code[4:6] + code[7:]
	}
	if len(code) != 8 || strings.Trim(code, "0123456789") != "" {
		return "", errSetupCodeForm
	}
	return code, nil
}

// NewSetupID returns a random setup id such as 7OSX.
func NewSetupID() string {
	id := make([]byte, setupIDLen)
	for i := range id {
		id[i] = setupIDAlphabet[randomBelow(uint32(len(setupIDAlphabet)))]
	}
	return string(id)
}

// SetupURI returns what a HomeKit QR code holds, X-HM://00UQ9WSHY7OSX (docs/homekit.md §3). category is the accessory's (31 is a
// television). It fails for a code that ValidSetupCode refuses and for a setup id that is not 4 of 0-9 and A-Z.
// The result tells the code: it is as secret.
func SetupURI(category uint8, code, setupID string) (string, error) {
	code, err := FormatSetupCode(code)
	if err != nil {
		return "", err
	}
	if len(setupID) != setupIDLen || strings.Trim(setupID, setupIDAlphabet) != "" {
		return "", errSetupID
	}
	number, err := strconv.ParseUint(strings.ReplaceAll(code, "-", ""), 10, 32)
	if err != nil {
		return "", errSetupCodeForm
	}
	payload := strconv.FormatUint(uint64(category)<<setupCategoryBit|setupPayloadIP|number, 36)
	payload = strings.Repeat("0", setupPayloadLen-len(payload)) + strings.ToUpper(payload)
	return setupURIPrefix + payload + setupID, nil
}

// SetupHash returns the sh entry of the TXT record, which lets a controller find the accessory whose QR code it has read.
// deviceID is six bytes in hex with colons, A3:FB:3D:4D:2E:AC.
func SetupHash(setupID, deviceID string) string {
	sum := sha512.Sum512([]byte(setupID + strings.ToUpper(deviceID)))
	return base64.StdEncoding.EncodeToString(sum[:4])
}

// newDeviceID returns a random device id such as A3:FB:3D:4D:2E:AC.
func newDeviceID() string {
	var b [6]byte
	rand.Read(b[:]) // never fails, crypto/rand says
	return fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", b[0], b[1], b[2], b[3], b[4], b[5])
}

// randomBelow returns a uniform random number below n, which is at most 1<<31.
func randomBelow(n uint32) uint32 {
	limit := 1<<32 - 1<<32%uint64(n) // the largest multiple of n: a remainder of what lies above would favour small numbers
	var b [4]byte
	for {
		rand.Read(b[:]) // never fails, crypto/rand says
		if v := binary.BigEndian.Uint32(b[:]); uint64(v) < limit {
			return v % n
		}
	}
}
