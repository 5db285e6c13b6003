#!/usr/bin/env bash
# Writes to a directory what the packages carry beside the program: completions, the manual page, the compressed changelog,
# and in doc/ the pages for users, laid out as in the repository so that their links work.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${MD2MAN:?}"
dir=$1
mkdir -p "$dir/doc/docs/guide" "$dir/doc/deploy"
for shell in bash zsh fish; do
	go run -trimpath ./cmd/ps4kit completion "$shell" >"$dir/completion.$shell"
done

# The manual page is docs/cli.md without its links and comments. Its tables become lists, which fit any width.
{
	printf '%% ps4kit 1\n\n# NAME\n\nps4kit - PlayStation consoles as HomeKit televisions\n\n# SYNOPSIS\n\n'
	sed -n '/^ps4kit \[/{p;q}' docs/cli.md
	printf '\n# DESCRIPTION\n\n'
	sed '1,/^```$/d; /^<!-- /d' docs/cli.md | sed '1,/^```$/d' | sed -Ez 's/\[([^][]*)\]\([^)]*\)/\1/g' | awk -F ' *[|] *' '
		!/^[|]/ { table = 0; print; next }
		table++ > 1 { print $2 "\n: " $3 "\n" }'
	printf '\n# SEE ALSO\n\nThe guide: */usr/share/doc/ps4kit/docs/guide/README.md*\n'
} >"$dir/ps4kit.md"
"$MD2MAN" -in "$dir/ps4kit.md" -out "$dir/ps4kit.1"
gzip -9n <"$dir/ps4kit.1" >"$dir/ps4kit.1.gz"

cp README.md SECURITY.md CHANGELOG.md LICENSE config.yaml.example "$dir/doc"
cp docs/{api,cli,companion,credentials,homekit,metadata,metrics,page,protocol,web}.md "$dir/doc/docs"
cp docs/guide/*.md "$dir/doc/docs/guide"
cp deploy/{README.md,compose.yaml,ps4kit.service,com.github.ps4kit.plist} "$dir/doc/deploy"
chmod -R u=rwX,go=rX "$dir/doc"
# Links to what isn't shipped lead to the repository.
(cd "$dir/doc" && find . -name '*.md' | while read -r page; do
	perl -MFile::Spec -MFile::Basename -pi -e '
		s{\]\((?!\w+:|#)([^)#]+)}{
			my @path;
			for (split m{/}, dirname($ARGV) . "/$1") { if ($_ eq "..") { pop @path } elsif ($_ ne "." and $_ ne "") { push @path, $_ } }
			my $path = join "/", @path;
			-e $path ? "]($1" : "](https://github.com/ps4kit/ps4kit/blob/main/$path"
		}ge' "$page"
done)
gzip -9n <"$dir/doc/CHANGELOG.md" >"$dir/changelog.gz"
