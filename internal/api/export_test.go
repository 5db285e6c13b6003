package api

// NewClient returns a client whose requests go anywhere.
var NewClient = newClient

// DialError is the error of Connect for a failed dial.
var DialError = dialError

// OperationIDs lists the operations of the table.
func OperationIDs() (ids []string) {
	for _, o := range operations() {
		ids = append(ids, o.id)
	}
	return ids
}
