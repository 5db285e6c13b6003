package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/psn"
	"github.com/ps4kit/ps4kit/internal/titles"
)

const (
	importBatch = 16 // titles in a request: 64 kB hold them with the longest names and addresses
	maxName     = 63 // bytes of a title's name that Home shows (docs/homekit.md §4)
)

// importOptions are the flags of `ps4kit titles import`.
type importOptions struct {
	console    consoleFlags
	psn        bool
	npsso      string
	credential bool
	dryRun     bool
	yes        bool

	fromFile importResult
}

func newTitlesImport(p *program) *cobra.Command {
	o := &importOptions{}
	cmd := p.verb(&cobra.Command{
		Use:   "import [FILE]",
		Short: "Add inputs from a file, or from the titles of a PSN account",
		Long: `Adds an input for each title in a file, or for the PS4 titles that a PSN account
has played, the most recent first. On a terminal you choose from the list first.
Existing inputs keep their names and everything else, and titles for which no
input is free are left out (homekit.slots). Titles that you play later take the
places of imported ones.

FILE has a title id, a comma and a name in each line, or is JSON: the output of
ps4kit titles -o json, or a title file of pyps4-2ndscreen or of Home Assistant
(.ps4-games.json). - is the standard input.

With --psn, sign in at ` + psn.SignInURL + `, open
` + psn.NPSSOURL + ` in the same browser, and copy the
64 characters of npsso. They are as good as your password: ps4kit asks for them
without showing them, uses them once, and neither stores nor logs them. To Sony
this looks like its Android app signing in, which its terms don't provide for.`,
		Example: examples("titles import games.csv", "titles import --psn", "titles import --psn --npsso - --dry-run < npsso.txt"),
		Args:    cobra.MaximumNArgs(1),
		PreRunE: func(_ *cobra.Command, args []string) error {
			switch {
			case o.psn == (len(args) == 1):
				return usageError(errors.New("name a file, or give --psn"))
			case !o.psn && (o.npsso != "" || o.credential):
				return usageError(errors.New("--npsso and --credential need --psn"))
			case !o.psn:
				return o.read(p, args[0])
			}
			return nil
		},
	}, &o.console, "", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		return o.run(ctx, p, client, host)
	})
	o.console.add(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&o.psn, "psn", false, "import the titles of a PSN account")
	fl.StringVar(&o.npsso, "npsso", "", "`FILE` with the npsso token; - is the standard input")
	fl.BoolVar(&o.credential, "credential", false, "with --psn, store the account's credential too")
	fl.BoolVar(&o.dryRun, "dry-run", false, "only show what would be imported")
	fl.BoolVar(&o.yes, "yes", false, "import all without asking")
	return cmd
}

// importResult is the result of `ps4kit titles import -o json`.
type importResult struct {
	Done string `json:"done"` // "imported"; empty with --dry-run
	api.Imported

	Titles     []api.ImportTitle `json:"titles"` // as they were read
	BadLines   []titles.BadLine  `json:"bad_lines,omitempty"`
	Credential bool              `json:"credential,omitempty"` // is stored
}

// read reads the titles of a file, the last played first.
func (o *importOptions) read(p *program, file string) error {
	content, err := p.read(file, maxImport)
	r := &o.fromFile
	if err == nil {
		r.Titles, r.BadLines, err = titles.Read(bytes.NewReader(content))
	}
	if err != nil {
		return asUsage(err)
	}
	slices.SortStableFunc(r.Titles, func(a, b api.ImportTitle) int { return b.LastPlayed.Compare(a.LastPlayed) })
	r.Titles = r.Titles[:min(len(r.Titles), api.MaxImport)]
	for _, bad := range r.BadLines {
		p.say(fmt.Sprintf("ps4kit: line %d is skipped: %s", bad.Line, bad.Err))
	}
	return nil
}

func (o *importOptions) run(ctx context.Context, p *program, client *api.Client, host string) (result, error) {
	r := o.fromFile
	_, err := api.Titles.Do(ctx, client, api.HostRequest{Host: host}) // before the user signs in
	if err != nil {
		return result{}, err
	}
	var account string
	if o.psn {
		if err := o.askCredential(ctx, p, client, host); err != nil {
			return result{}, err
		}
		if r.Titles, account, err = o.ofAccount(ctx, p); err != nil {
			return result{}, err
		}
	}
	ids := []api.ImportTitle{} // a preview needs nothing else
	for _, t := range r.Titles {
		ids = append(ids, api.ImportTitle{ID: t.ID})
	}
	if r.Imported, err = api.ImportTitles.Do(ctx, client, api.ImportTitlesRequest{Host: host, Titles: ids, DryRun: true}); err != nil {
		return result{}, err
	}
	if o.dryRun {
		return result{value: r, text: preview(r) + "\n" + r.summary("would be added")}, nil
	}
	if !o.yes && len(r.Titles) > 0 && isTerminal(p.stdin) {
		if r.Titles, err = o.choose(ctx, p, r); err != nil {
			return result{}, err
		}
	}
	r.Imported = api.Imported{Added: []string{}, Known: []string{}, NoSlot: []string{}}
	for batch := range slices.Chunk(r.Titles, importBatch) {
		did, err := api.ImportTitles.Do(ctx, client, api.ImportTitlesRequest{Host: host, Titles: batch})
		if err != nil {
			return result{}, err
		}
		r.Added, r.Known, r.NoSlot = append(r.Added, did.Added...), append(r.Known, did.Known...), append(r.NoSlot, did.NoSlot...)
	}
	r.Done = "imported"
	if account != "" {
		user, err := userOf(account)
		if err != nil {
			return result{}, err
		}
		if err := api.SetCredential.Do(ctx, client, api.CredentialRequest{Host: host, User: user}); err != nil {
			return result{}, err
		}
		r.Credential = true
	}
	return result{value: r, text: r.summary("added")}, nil
}

// askCredential asks on a terminal whether to store the account's credential, if
// the console has none.
func (o *importOptions) askCredential(ctx context.Context, p *program, client *api.Client, host string) error {
	if o.credential || o.dryRun || o.yes || !isTerminal(p.stdin) {
		return nil
	}
	if _, _, err := storedUser(ctx, client, host); codeOf(err) != "no_credential" {
		return err
	}
	answer, err := p.ask(ctx, "No credential is stored. Store that of this account, to control the console? [Y/n] ")
	if err != nil && !errors.Is(err, errNoInput) {
		return err
	}
	o.credential = !strings.HasPrefix(strings.ToLower(answer), "n")
	return nil
}

const npssoSteps = "Sign in at " + psn.SignInURL + ", open\n" + psn.NPSSOURL + ` in the same browser, and copy the 64
characters of npsso. They are used once, and not stored.
`

// ofAccount signs in to PSN and returns the titles of the account, and its id if
// the credential is wanted.
func (o *importOptions) ofAccount(ctx context.Context, p *program) (list []api.ImportTitle, account string, err error) {
	c, err := p.configuration()
	if err != nil {
		return nil, "", err
	}
	npsso, err := o.readNPSSO(ctx, p)
	if err != nil {
		return nil, "", err
	}
	defer p.progress("Asking PSN")()
	client := &psn.Client{AccountURL: c.PSN.AccountURL, TitlesURL: c.PSN.TitlesURL}
	return client.Played(ctx, npsso, o.credential && !o.dryRun)
}

func (o *importOptions) readNPSSO(ctx context.Context, p *program) (psn.NPSSO, error) {
	var text string
	switch {
	case o.npsso != "":
		content, err := p.read(o.npsso, maxImport)
		if err != nil {
			return psn.NPSSO{}, asUsage(err)
		}
		text = string(content)
	case !isTerminal(p.stdin):
		return psn.NPSSO{}, usageError(errors.New("--psn asks for the npsso on a terminal: pass --npsso FILE, or --npsso - for the standard input"))
	default:
		_, _ = fmt.Fprint(p.stderr, npssoSteps)
		var err error
		if text, err = p.askSecret(ctx, "\nnpsso (hidden): "); err != nil {
			return psn.NPSSO{}, err
		}
	}
	npsso, err := psn.ParseNPSSO(text)
	return npsso, asUsage(err)
}

// choose shows the titles and asks which to import.
func (o *importOptions) choose(ctx context.Context, p *program, r importResult) ([]api.ImportTitle, error) {
	_, _ = fmt.Fprintln(p.stderr, preview(r))
	for {
		answer, err := p.ask(ctx, "\nImport which titles? all, none, or numbers such as 1-5,8 [all]: ")
		if err != nil && !errors.Is(err, errNoInput) {
			return nil, err
		}
		switch {
		case err != nil || answer == "none":
			return nil, errors.New("nothing was imported")
		case answer == "" || answer == "all":
			return r.Titles, nil
		}
		numbers, err := parseNumbers(answer, len(r.Titles))
		if err != nil {
			p.say("ps4kit: " + err.Error())
			continue
		}
		var chosen []api.ImportTitle
		for _, n := range numbers {
			chosen = append(chosen, r.Titles[n-1])
		}
		return chosen, nil
	}
}

// parseNumbers parses numbers and ranges such as "1-5, 8", from 1 to last. It
// returns the numbers in ascending order, each once.
func parseNumbers(text string, last int) ([]int, error) {
	var numbers []int
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		end, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first < 1 || end > last || first > end {
			return nil, fmt.Errorf("%q is not a number or range from 1 to %d", part, last)
		}
		for n := first; n <= end; n++ {
			numbers = append(numbers, n)
		}
	}
	if numbers == nil {
		return nil, fmt.Errorf("%q is not a number or range from 1 to %d", text, last)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// preview lists the titles with what would become of each.
func preview(r importResult) string {
	rows := [][]string{{"NO", "ID", "NAME", "PLAYED", "NOTES"}}
	for i, t := range r.Titles {
		played, note := "", ""
		if !t.LastPlayed.IsZero() {
			played = t.LastPlayed.Local().Format(time.DateOnly)
		}
		switch {
		case slices.Contains(r.Known, t.ID):
			note = "an input already"
		case slices.Contains(r.NoSlot, t.ID):
			note = "no input is free"
		}
		rows = append(rows, []string{strconv.Itoa(i + 1), t.ID, t.Name, played, note})
	}
	return table(rows)
}

// summary tells what became of the titles.
func (r importResult) summary(added string) string {
	text := count(len(r.Added), "title", "titles") + " " + added + "."
	if n := len(r.Known); n > 0 {
		text += " " + count(n, "was an input already and keeps its name", "were inputs already and keep their names") + "."
	}
	if n := len(r.NoSlot); n > 0 {
		text += " " + count(n, "was", "were") + " left out, since all inputs are in use: forget some, or raise homekit.slots."
	}
	long := 0
	for _, t := range r.Titles {
		if len(t.Name) > maxName && slices.Contains(r.Added, t.ID) {
			long++
		}
	}
	if long > 0 {
		text += " " + count(long, "name is", "names are") + fmt.Sprintf(" longer than %d bytes and shortened in Home.", maxName)
	}
	if r.Credential {
		text += "\nThe credential of the account is stored."
	}
	return text
}

// count returns a number with the words for one or for several.
func count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}
