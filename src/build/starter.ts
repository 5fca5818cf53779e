/** The first lines of `dist/cli.js`. sh runs them, and JavaScript skips them. */
import { bunFlags, nullDeviceReplaced, rootFlag, startWord } from "../cli/start.ts";

const bun = `"$_ll_dir/bun" ${bunFlags.join(" ")}`;

/** Bun replaces bytes of its script's path that aren't UTF-8, so it would run another file. */
const refuseReplaced = `${bun} ${rootFlag} -e 'if (process.argv[1].includes("\\ufffd")) {
  console.error("landlock-restrict: its own path is not UTF-8: install it in another folder");
  process.exit(125);
}' "$_ll_abs" || exit`.replaceAll(/\n\s*/g, " ");

/** Prints a sentence and exits with the status of all our own failures. */
const fail = (sentence: string) => `{ echo "landlock-restrict: ${sentence}" >&2; exit 125; }`;

/**
 * Checks whether the directory $1 is $2 or beneath it: 0 if so, 1 if not, 2 if unknown. It goes up
 * by `..` and compares files, because links, slashes, dots and mounts make equal directories differ
 * as text.
 */
const isIn = `_ll_in() { _ll_at=$1/.; until [ "$_ll_at" -ef "$2" ]; do
  [ "$_ll_at" -ef / ] && return 1; [ -e "$_ll_at/.." ] || return 2; _ll_at=$_ll_at/..;
  done; }`.replaceAll(/\n\s*/g, " ");

/**
 * Follows $1 name by name like the kernel, and fails if Bun must not be taken from there. It
 * follows links itself because each place on the way matters, and a resolved path no longer shows
 * them.
 */
const follow = `_ll_follow() { _ll_rest=$1 _ll_place= _ll_first= _ll_links=;
  while [ -n "$_ll_rest" ]; do _ll_name=\${_ll_rest%%/*};
    case $_ll_rest in */*) _ll_rest=\${_ll_rest#*/};; *) _ll_rest=;; esac;
    case $_ll_name in "" | .) continue;; ..) _ll_place=\${_ll_place%/*}; continue;; esac;
    _ll_next=$_ll_place/$_ll_name;
    if [ -z "$_ll_rest" ]; then _ll_first=\${_ll_first:-$_ll_place/};
      case \${_ll_place##*/} in bun-node-*) return 1;; esac;
      _ll_in . "$_ll_place/"; [ "$?" = 1 ] || return 1; fi;
    if [ ! -h "$_ll_next" ]; then _ll_place=$_ll_next;
      [ ! "$_ll_place" -ef . ] || _ll_in "$_ll_from" . || return 1; continue; fi;
    if [ -n "$_ll_place" ]; then _ll_in . "$_ll_place"; [ "$?" = 1 ] ||
      case $("$_ll_tools/ls" -ld "$_ll_place") in d???????-*) ;; *) return 1;; esac; fi;
    case $_ll_name in bun-node-*) return 1;; esac;
    _ll_links=$_ll_links.; [ "\${#_ll_links}" -le 40 ] || return 1;
    _ll_to=$("$_ll_tools/readlink" -n "$_ll_next"; echo .);
    _ll_to=\${_ll_to%.}; [ -n "$_ll_to" ] || return 1;
    case $_ll_to in /*) _ll_place=;; esac; _ll_rest=$_ll_to\${_ll_rest:+/$_ll_rest};
  done; [ "$_ll_place" -ef "$1" ]; }`.replaceAll(/\n\s*/g, " ");

/** dash can only name descriptors of one digit. */
const descriptors = [9, 8, 7, 6, 5, 4, 3];

/**
 * Takes Bun from an absolute entry of PATH, with these exceptions:
 *
 * - Neither the file nor its link may be in the current directory or above it, since no user
 *   intends that.
 * - A path through the current directory, which a sandboxed command with `-rw .` can write, only
 *   counts if this program is called from beneath it too.
 * - A path through a link in a directory above never counts if everyone may write that directory.
 * - A `node_modules/.bin` only counts if this program is called from that `node_modules`: npx and
 *   bunx add those of all parent folders to PATH.
 * - A `bun-node-…`, which `bun run` makes in /tmp and adds to PATH, never counts, since a sandboxed
 *   command with `-rw /tmp` can write it. Later entries contain Bun too.
 *
 * If `$0` has no slash, it may be the name of a shell that reads these lines as input. Bun takes
 * its settings from /dev/null here, and root can replace that by a file or link.
 *
 * `$_ll` holds the current directory, and the soft limit on open files that Bun raises later. The
 * lines undo functions and SHELLOPTS that bash may take from the environment.
 */
const shell = [
  "set +aeu; unset -f [ echo pwd ulimit; _ll=$(ulimit -Sn 2>&-; pwd -P; echo .); _ll=${_ll%??} _ll_path=$PATH:",
  "case $0 in /*) _ll_own=$0 _ll_abs=$0;; */*) _ll_own=./$0 _ll_abs=/${_ll#*/}/$0;; *) _ll_own=;; esac",
  `[ -f "$_ll_own" ] || ${fail("cannot find its own file: call it by its path, without naming a shell")}`,
  `[ "$PWD" -ef . ] || ${fail("cannot reach the current directory by its path: start in another one")}`,
  `[ -c /dev/null ] && [ ! -h /dev/null ] || ${fail(nullDeviceReplaced)}`,
  isIn,
  follow,
  // The last folder is NixOS's.
  "for _ll_tools in /usr/bin /bin /run/current-system/sw/bin; do " +
    '[ ! -x "$_ll_tools/readlink" ] || break; done',
  "_ll_from=${_ll_own%/*}",
  'while [ -n "$_ll_path" ]; do _ll_dir=${_ll_path%%:*}; _ll_path=${_ll_path#*:}',
  "case $_ll_dir in /*) ;; *) continue;; esac",
  '[ -f "$_ll_dir/bun" ] && [ -x "$_ll_dir/bun" ] || continue',
  '_ll_follow "$_ll_dir/bun" || continue',
  "_ll_home=; case $_ll_dir in *node_modules/*.bin*) _ll_home=$_ll_dir;; esac",
  "case $_ll_first in */node_modules/.bin/) _ll_home=${_ll_first%/.bin/};; esac",
  '[ -z "$_ll_home" ] || _ll_in "$_ll_from" "$_ll_home" || continue',
  `case $_ll_abs in *[!\\ -~]*) ${refuseReplaced};; esac`,
  "_ll=${_ll%%/*}",
  // A function is needed, because some shells close a descriptor that exec itself redirects.
  `_ll_start() { exec ${bun} ${rootFlag} "$_ll_abs" -- "${startWord}$_ll,$@"; }`,
  // Bun starts in the current directory if that can't be opened or returned to, or was moved
  // meanwhile. If all descriptors that sh can name are open, it takes one that no word mentions,
  // because the command gets only those that a word names.
  '! [ "$_ll_abs" -ef "$_ll_own" ] || ! [ -r . ] || ! [ -d /proc/self/fd/ ] || { ' +
    [
      ...descriptors.map((fd) => `{ [ x ] <&${fd}; } 2>&- || _ll_start ${fd} "$@" ${fd}<.`),
      ...descriptors.map((fd) => `case $* in *${fd}*) ;; *) _ll_start ${fd} "$@" ${fd}<.;; esac`),
    ].join("; ") +
    "; }",
  `exec ${bun} "$_ll_own" -- "${startWord}$_ll" "$@"`,
  "done",
  fail(
    "cannot find Bun: put the absolute path of its folder on PATH; folders in or above the current directory do not count",
  ),
];

/**
 * The lines, with a final line break. Each starts with a command that does nothing. On the first
 * line Bun looks for `// @bun`; without it, Bun would run a file from a cache in HOME instead of a
 * long file.
 */
export const starter = `#!/bin/sh -
// @bun 2>&- || ${shell.join('\n":" //; ')}
`;
