/** The first lines of `dist/cli.js`: sh runs them, and JavaScript skips them. */
import { bunFlags, openFilesWord } from "../cli/start.ts";

const bun = `"$_ll_dir/bun" ${bunFlags.join(" ")}`;

/** Bun replaces bytes of its script's path that are not UTF-8, and would run another file. */
const refuseReplaced = `${bun} -e 'if (process.argv[1].includes("\\ufffd")) {
  console.error("landlock-restrict: its own path is not UTF-8: install it in another folder");
  process.exit(125);
}' "$_ll_abs" || exit`.replaceAll(/\n\s*/g, " ");

/**
 * Takes Bun from an absolute entry of PATH. Not from the current directory or one above it, nor
 * from a `node_modules/.bin` other than that of this package: npx and bunx put those of all folders
 * above on PATH. Nor from the folder that `bunx --bun` uses in /tmp, if another user made it.
 *
 * `$_ll` holds the soft limit on open files, which Bun raises, and the current directory. The
 * builtins are freed of functions that bash takes from the environment.
 */
const shell = [
  "unset -f [ cd echo pwd ulimit; _ll=$(ulimit -Sn 2>&-; pwd -P); _ll_cwd=/${_ll#*/}; _ll_path=$PATH:",
  "case $0 in /*) _ll_own=$0 _ll_abs=$0;; *) _ll_own=./$0 _ll_abs=$_ll_cwd/$0;; esac",
  'while [ -n "$_ll_path" ]; do _ll_dir=${_ll_path%%:*}; _ll_path=${_ll_path#*:}',
  'case $_ll_dir/ in */./*|*/../*) _ll_dir=$(cd -P "$_ll_dir" 2>&- && pwd -P);; esac',
  "case $_ll_dir in /*) ;; *) continue;; esac",
  'case $_ll_cwd/ in "${_ll_dir%/}"/*) continue;; esac',
  'case $_ll_dir in */bun-node-*) [ -O "$_ll_dir" ] || continue;; esac',
  "case $_ll_dir in */node_modules/.bin*) _ll_in=${_ll_dir%.bin*};; *) _ll_in=;; esac",
  'case $_ll_abs in "$_ll_in"*) ;; *) continue;; esac',
  '[ -f "$_ll_dir/bun" ] && [ -x "$_ll_dir/bun" ] || continue',
  `case $_ll_abs in *[!\\ -~]*) ${refuseReplaced};; esac`,
  `exec ${bun} "$_ll_own" -- "${openFilesWord}\${_ll%%/*}" "$@"`,
  "done",
  'echo "landlock-restrict: cannot find Bun: put the absolute path of its folder on PATH" >&2',
  "exit 125",
];

/**
 * The lines, with a line break at the end. Each begins with a command that does nothing: in the
 * first Bun looks for its `// @bun`. Without it, Bun would run what a cache in HOME has in place of
 * a file as long as the bundle.
 */
export const starter = `#!/bin/sh -
// @bun 2>&-; ${shell.join('\n":" //; ')}
`;
