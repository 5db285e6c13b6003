package graphcheck

import "fmt"

// Types of services and characteristics (docs/homekit.md §2).
const (
	information = "3E"
	protocol    = "A2"
	television  = "D8"
	inputSource = "D9"
	occupancy   = "86"
	control     = "49"

	name, configuredName = "23", "E3"
	firmware, version    = "52", "37"
	active, activeID     = "B0", "E7"
	sleepDiscovery       = "E8"
	remoteKey, powerMode = "E1", "DF"
	displayOrder         = "136"
	identifier           = "E6"
	inputType            = "DB"
	isConfigured         = "D6"
	current, target      = "135", "134"
)

// Permissions of characteristics.
const (
	r   = "pr"
	w   = "pw"
	re  = "pr ev"
	rwe = "pr pw ev"
)

// row is a characteristic that a service must have, as in docs/homekit.md §2.
type row struct {
	kind, name, format, perms string
	top                       int // largest value; 0 for no limit here
}

// rowsOf returns the name and the characteristics of a service, or "" and nil for
// a type that is not allowed.
func rowsOf(kind string) (string, []row) {
	switch kind {
	case information:
		return "AccessoryInformation", []row{
			{"14", "Identify", "bool", w, 0}, {name, "Name", "string", r, 0}, {"20", "Manufacturer", "string", r, 0},
			{"21", "Model", "string", r, 0}, {"30", "SerialNumber", "string", r, 0}, {firmware, "FirmwareRevision", "string", r, 0},
		}
	case protocol:
		return "ProtocolInformation", []row{{version, "Version", "string", r, 0}}
	case television:
		return "Television", []row{
			{active, "Active", "uint8", rwe, 1}, {activeID, "ActiveIdentifier", "uint32", rwe, 0},
			{configuredName, "ConfiguredName", "string", rwe, 0}, {sleepDiscovery, "SleepDiscoveryMode", "uint8", re, 1},
			{remoteKey, "RemoteKey", "uint8", w, 16}, {displayOrder, "DisplayOrder", "tlv8", rwe, 0},
			{powerMode, "PowerModeSelection", "uint8", w, 1},
		}
	case inputSource:
		return "InputSource", []row{
			{identifier, "Identifier", "uint32", r, 0}, {configuredName, "ConfiguredName", "string", rwe, 0}, {name, "Name", "string", r, 0},
			{inputType, "InputSourceType", "uint8", re, 10}, {isConfigured, "IsConfigured", "uint8", rwe, 1},
			{current, "CurrentVisibilityState", "uint8", re, 1}, {target, "TargetVisibilityState", "uint8", rwe, 1},
		}
	case occupancy:
		return "OccupancySensor", []row{{"71", "OccupancyDetected", "uint8", re, 1}, {name, "Name", "string", r, 0}}
	case control:
		return "Switch", []row{{"25", "On", "bool", rwe, 0}, {name, "Name", "string", r, 0}}
	}
	return "", nil
}

// tvInformation returns the additional row of a television's
// AccessoryInformation.
func tvInformation() row { return row{configuredName, "ConfiguredName", "string", rwe, 0} }

func at(aid, iid uint64) string { return fmt.Sprintf("aid %d, iid %d", aid, iid) }
