# contrib-sources.sh - for .ci/deps-oracle and .ci/contrib: the machine's own package sources with the archive area contrib
# in place of main, written to a folder of the caller's. Nothing of the machine is changed.
contrib_sources() {
    to=$1
    # Stanzas and lines that give main give contrib as well; others are left out.
    eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    n=0
    for file in "${list:-}" "${parts:-}"/*.list "${parts:-}"/*.sources; do
        [ -f "$file" ] || continue
        n=$((n + 1))
        case $file in
        *.sources)
            awk -v RS='' '
                {
                    count = split($0, lines, "\n"); out = ""; main = 0; field = ""
                    for (i = 1; i <= count; i++) {
                        line = lines[i]
                        if (line ~ /^#/) continue
                        if (line !~ /^[ \t]/) field = tolower(substr(line, 1, index(line, ":") - 1))
                        if (field == "components") {
                            if ((" " line " ") ~ /[ \t:]main[ \t]/) main = 1
                            continue
                        }
                        out = out line "\n"
                    }
                    if (main) printf "%sComponents: contrib\n\n", out
                }' "$file" > "$to/$n.sources"
            ;;
        *)
            sed -nE 's/^[[:space:]]*(deb[[:space:]]+(\[[^]]*\][[:space:]]*)?[^[:space:]]+[[:space:]]+[^[:space:]]+)[[:space:]](.*[[:space:]])?main([[:space:]].*)?$/\1 contrib/p' \
                "$file" > "$to/$n.list"
            ;;
        esac
    done
}
