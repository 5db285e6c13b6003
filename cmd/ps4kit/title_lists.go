package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/artcache"
)

// systemLists is what `ps4kit title lists` prints; a list that could not be had is
// left out.
type systemLists struct {
	Services *artcache.ServiceList   `json:"services,omitempty"`
	Launch   *artcache.LaunchList    `json:"launch,omitempty"`
	System   []artcache.SystemRegion `json:"system"` // in the order of --region

	country string
}

func newTitleLists(p *program) *cobra.Command {
	o := &titleOptions{}
	regions := []string{"us", "eu"}
	cmd := o.command(p, &cobra.Command{
		Use:   "lists",
		Short: "Show the system lists: services, titles, system software",
		Long: `Shows which services are allowed in a country, what the launching of titles needs,
and the system software of each region. What answers is shown even when the rest
does not.`,
		Args: noArgs,
	}, "Fetching the lists", func(ctx context.Context, c *titleCache, _ []string) error {
		lists, err := c.lists(ctx, regions)
		if lists.Services == nil && lists.Launch == nil && len(lists.System) == 0 {
			return err
		}
		return errors.Join(o.result(p, lists, func(w io.Writer) error { return lists.print(w) }), err)
	})
	o.addCountry(cmd)
	cmd.Flags().StringSliceVar(&regions, "region", regions, "`REGION`s of system software, two letters each")
	o.out.add(cmd, "the lists")
	return cmd
}

// lists fetches all lists at once; the error is that of the first that is missing.
func (c *titleCache) lists(ctx context.Context, regions []string) (*systemLists, error) {
	lists := &systemLists{System: []artcache.SystemRegion{}, country: c.region.Country}
	system, failed := make([]*artcache.SystemUpdates, len(regions)), make([]error, len(regions)+2)
	var wg sync.WaitGroup
	wg.Go(func() { lists.Services, failed[0] = c.ServiceList(ctx) })
	wg.Go(func() { lists.Launch, failed[1] = c.LaunchList(ctx) })
	for i, region := range regions {
		wg.Go(func() {
			var err error
			system[i], err = c.SystemUpdates(ctx, region)
			failed[i+2] = about("system software of "+region, err)
		})
	}
	wg.Wait()
	for _, s := range system {
		if s != nil {
			lists.System = append(lists.System, s.Regions...)
		}
	}
	for _, err := range failed {
		if err != nil {
			return lists, err
		}
	}
	return lists, nil
}

func (l *systemLists) print(w io.Writer) error {
	for i, part := range []func(io.Writer) error{l.printServices, l.printLaunch, l.printSystem} {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		if err := part(w); err != nil {
			return err
		}
	}
	return nil
}

func (l *systemLists) printServices(w io.Writer) error {
	if l.Services == nil {
		_, err := fmt.Fprintln(w, "The list of services could not be had.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "SERVICE\tIN %s\tDEFAULT\tALLOWED IN\tDENIED IN\n", strings.ToUpper(l.country))
	for _, s := range l.Services.Services {
		here := "no"
		if s.Allowed(l.country) {
			here = "yes"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Name, here, s.Default, orDash(codes(s.Allow)), orDash(codes(s.Deny)))
	}
	return t.Flush()
}

func codes(countries []artcache.Country) string {
	var list []string
	for _, c := range countries {
		list = append(list, c.Code)
	}
	return strings.Join(list, " ")
}

func (l *systemLists) printLaunch(w io.Writer) error {
	if l.Launch == nil {
		_, err := fmt.Fprintln(w, "The list of titles could not be had.")
		return err
	}
	return printLines(w, [][2]string{
		{"Titles need system software", l.Launch.MinSystemVersion},
		{"Titles that are not started", orDash(strings.Join(l.Launch.BlackList, " "))},
	})
}

func (l *systemLists) printSystem(w io.Writer) error {
	if len(l.System) == 0 {
		_, err := fmt.Fprintln(w, "The lists of system software could not be had.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "REGION\tSYSTEM SOFTWARE\tVERSION\tSIZE")
	for _, r := range l.System {
		size := "-"
		if len(r.System.Images) > 0 {
			size = sizeOf(r.System.Images[0].Size)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.System.Label, r.System.Version, size)
	}
	return t.Flush()
}
