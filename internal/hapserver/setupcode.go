package hapserver

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
)

const (
	setupIDAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	setupIDLen      = 4
)

// newSetupCode returns a random setup code such as 518-08-582.
func newSetupCode() string {
	for {
		number, _ := rand.Int(rand.Reader, big.NewInt(100_000_000)) // never fails
		if code, err := FormatSetupCode(fmt.Sprintf("%08d", number)); err == nil {
			return code
		}
	}
}

// FormatSetupCode returns a code written 518-08-582 or 51808582 in the first
// form, which HAP hashes. It fails if the code is not 8 digits or too easy to
// guess (docs/homekit.md §3). The error never contains the code.
func FormatSetupCode(code string) (string, error) {
	if len(code) == 10 && code[3] == '-' && code[6] == '-' {
		code = code[:3] + code[4:6] + code[7:]
	}
	if len(code) != 8 || strings.Trim(code, "0123456789") != "" {
		return "", errors.New("a setup code has 8 digits, written 000-00-000")
	}
	if code == "12345678" || code == "87654321" || strings.Count(code, code[:1]) == len(code) {
		return "", errors.New("HomeKit refuses setup codes of equal digits, 12345678 and 87654321")
	}
	return code[:3] + "-" + code[3:5] + "-" + code[5:], nil
}

// newSetupID returns a random setup id such as 7OSX.
func newSetupID() string { return rand.Text()[:setupIDLen] } // base32: A to Z, 2 to 7

// setupURI returns the content of a HomeKit QR code for a code in the first form,
// such as X-HM://00UQ9WSHY7OSX (docs/homekit.md §3). It contains the setup code,
// and is as secret.
func setupURI(category uint8, code, setupID string) string {
	number, _ := strconv.ParseUint(strings.ReplaceAll(code, "-", ""), 10, 32) // 8 digits
	const overIP = 2 << 27
	payload := strings.ToUpper(strconv.FormatUint(uint64(category)<<31|overIP|number, 36))
	return "X-HM://" + strings.Repeat("0", 9-len(payload)) + payload + setupID
}

// setupHash returns the sh entry of the TXT record, by which a controller finds
// the accessory whose QR code it has read. A device id is A3:FB:3D:4D:2E:AC.
func setupHash(setupID, deviceID string) string {
	sum := sha512.Sum512([]byte(setupID + strings.ToUpper(deviceID)))
	return base64.StdEncoding.EncodeToString(sum[:4])
}

// newDeviceID returns a random device id such as A3:FB:3D:4D:2E:AC.
func newDeviceID() string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return strings.ToUpper(net.HardwareAddr(b[:]).String())
}
