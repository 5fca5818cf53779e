/** Text that a shell would have replaced, in a path that does not exist. */

/** What stands in a path, and the part of it that is meant. */
export type Unexpanded =
  /** `text` as `"$HOME"`, `name` as `"HOME"`. */
  | { readonly kind: "variable"; readonly text: string; readonly name: string }
  | { readonly kind: "home" }
  /** `folder`: the path up to the first wildcard. */
  | { readonly kind: "wildcard"; readonly text: string; readonly folder: string };

/** Finds a variable, `~` or a wildcard in a path; a file may be called so, if it exists. */
export function unexpandedIn(path: string): Unexpanded | undefined {
  const variable = /\$(?:\{(\w+)[^}]*\}|(\w+))/.exec(path);
  if (variable) {
    const [text, braced, bare] = variable;
    return { kind: "variable", text, name: (braced ?? bare)! };
  }
  if (/^~(\/|$)/.test(path)) return { kind: "home" };
  const wildcard = /[*?]|\[[^\]]+\]|\{[^}]*,[^}]*\}/.exec(path);
  if (!wildcard) return undefined;
  const folder = path.slice(0, path.lastIndexOf("/", wildcard.index) + 1);
  return {
    kind: "wildcard",
    text: wildcard[0],
    folder: folder.replace(/(?<=.)\/$/s, "") || ".",
  };
}
