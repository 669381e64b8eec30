# shellcheck shell=bash
# Sourced: which files of an installation are the program's own. They are listed in .installed in its folder; nothing
# that is not listed there is ever removed.

#: What of a checkout or a bundle is installed, when it is there.
program=(app worker templates config docker scripts docs LICENSE README.md CHANGELOG.md Makefile pyproject.toml
    requirements.txt requirements-dev.txt constraints.txt package.json package-lock.json .npmrc)

program_files() { # FOLDER -> the program's files in it, one a line
    local name
    (
        cd "$1"
        for name in "${program[@]}"; do
            [[ ! -e $name ]] || find "$name" -name __pycache__ -prune -o -type f -print
        done
    ) | LC_ALL=C sort
}

copy_program() { # FROM TO
    local from=$1 to=$2 kept
    if [[ $from == "$to" ]]; then return; fi
    say "Copying the program to $to ..."
    if [[ -n ${dry_run:-} ]]; then return; fi
    mkdir -p "$to"
    # Listed before they are copied: what a cut-off copy leaves behind is known as ours.
    kept=$(mktemp)
    program_files "$from" >"$kept.new"
    [[ ! -e $to/.installed ]] || cat "$to/.installed" >"$kept"
    LC_ALL=C sort -u "$kept" "$kept.new" >"$to/.installed.new"
    mv "$to/.installed.new" "$to/.installed"
    tar -cf - -C "$from" -T "$kept.new" | tar -xf - -C "$to" --no-same-owner
    LC_ALL=C comm -23 "$kept" "$kept.new" | remove_files "$to"
    cp "$kept.new" "$to/.installed.new"
    mv "$to/.installed.new" "$to/.installed"
    rm -f "$kept" "$kept.new"
}

remove_files() { # FOLDER, names on standard input: the files, their compiled kin, and folders that are empty then
    local name folder
    while IFS= read -r name; do
        case /$name/ in */../* | //*) continue ;; esac
        rm -f -- "$1/$name"
        folder=$(dirname "$name")
        if [[ $name == *.py ]]; then
            rm -f -- "$1/$folder/__pycache__/$(basename "$name" .py)".cpython-*.pyc
            rmdir -- "$1/$folder/__pycache__" 2>/dev/null || true
        fi
        while [[ $folder != . ]] && rmdir -- "$1/$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
    done
}
