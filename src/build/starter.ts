/** The first lines of `dist/cli.js`: sh runs them, and JavaScript skips them. */
import { bunFlags, nullDeviceReplaced, openFilesWord } from "../cli/start.ts";

const bun = `"$_ll_dir/bun" ${bunFlags.join(" ")}`;

/** Bun replaces bytes of its script's path that are not UTF-8, and would run another file. */
const refuseReplaced = `${bun} -e 'if (process.argv[1].includes("\\ufffd")) {
  console.error("landlock-restrict: its own path is not UTF-8: install it in another folder");
  process.exit(125);
}' "$_ll_abs" || exit`.replaceAll(/\n\s*/g, " ");

/** Ends with a sentence, and the status of all failures of our own. */
const fail = (sentence: string) => `{ echo "landlock-restrict: ${sentence}" >&2; exit 125; }`;

/**
 * Tells whether the directory $1 is $2 or beneath it: 0, 1 if it is not, 2 if it cannot be told.
 * It goes up by `..` and compares files, as texts of paths differ by links, slashes, dots, mounts.
 */
const isIn = `_ll_in() { _ll_at=$1/.; until [ "$_ll_at" -ef "$2" ]; do
  [ "$_ll_at" -ef / ] && return 1; [ -e "$_ll_at/.." ] || return 2; _ll_at=$_ll_at/..;
  done; }`.replaceAll(/\n\s*/g, " ");

/**
 * Takes Bun from an absolute entry of PATH. Not from the current directory or one above it: no user
 * means those. From one beneath it, which a sandboxed command with `-rw .` can write, or one that
 * is reached through such, only if this program is called from beneath it too. And from a
 * `node_modules/.bin` only if it is called from that `node_modules`: npx and bunx put those of all
 * folders above on PATH. Never from a `bun-node-…` that `bun run` made in /tmp and put on PATH: a
 * sandboxed command with `-rw /tmp` can write it, and the entries after it have Bun too.
 *
 * Without a slash in `$0`, it may be the name of a shell that reads these lines as its input.
 * /dev/null holds Bun's settings here, and root can put a file or link in its place.
 *
 * `$_ll` holds the soft limit on open files, which Bun raises, and the current directory. The
 * builtins are freed of functions that bash takes from the environment, and of its SHELLOPTS.
 */
const shell = [
  "set +aeu; unset -f [ cd echo pwd ulimit; _ll=$(ulimit -Sn 2>&-; pwd -P); _ll_path=$PATH:",
  "case $0 in /*) _ll_own=$0 _ll_abs=$0;; */*) _ll_own=./$0 _ll_abs=/${_ll#*/}/$0;; *) _ll_own=;; esac",
  `[ -f "$_ll_own" ] || ${fail("cannot find its own file: call it by its path, without naming a shell")}`,
  `[ "$PWD" -ef . ] || ${fail("cannot look at the current directory from above: start in another one")}`,
  `[ -c /dev/null ] && [ ! -h /dev/null ] || ${fail(nullDeviceReplaced)}`,
  isIn,
  "_ll_from=${_ll_own%/*}",
  'while [ -n "$_ll_path" ]; do _ll_dir=${_ll_path%%:*}; _ll_path=${_ll_path#*:}',
  "case $_ll_dir in /*) ;; *) continue;; esac",
  '[ -f "$_ll_dir/bun" ] && [ -x "$_ll_dir/bun" ] || continue',
  '_ll_in . "$_ll_dir"; [ "$?" = 1 ] || continue',
  '_ll_way=$_ll_dir; while [ -n "$_ll_way" ]; do _ll_in "$_ll_way" .; ' +
    '[ "$?" = 1 ] || _ll_in "$_ll_from" . || continue 2; _ll_way=${_ll_way%/*}; done',
  "_ll_home=; case $_ll_dir in *node_modules/*.bin*) _ll_home=$_ll_dir;; esac",
  '_ll_up=$_ll_dir/..; [ "$_ll_up/.bin" -ef "$_ll_dir" ] && ' +
    '[ "$_ll_up/../node_modules" -ef "$_ll_up" ] && _ll_home=$_ll_up',
  '[ -z "$_ll_home" ] || _ll_in "$_ll_from" "$_ll_home" || continue',
  'for _ll_name in "$_ll_dir" "$(cd -P "$_ll_dir" && pwd -P || echo /bun-node-)"; do ' +
    'case ${_ll_name##*/bun-node-} in "$_ll_name" | */*[!/.]*) ;; *) continue 2;; esac; done',
  `case $_ll_abs in *[!\\ -~]*) ${refuseReplaced};; esac`,
  `exec ${bun} "$_ll_own" -- "${openFilesWord}\${_ll%%/*}" "$@"`,
  "done",
  fail(
    "cannot find Bun: put the absolute path of its folder on PATH; those around the current directory do not count",
  ),
];

/**
 * The lines, with a line break at the end. Each begins with a command that does nothing: in the
 * first Bun looks for its `// @bun`. Without it, Bun would run what a cache in HOME has in place of
 * a file as long as the bundle.
 */
export const starter = `#!/bin/sh -
// @bun 2>&- || ${shell.join('\n":" //; ')}
`;
