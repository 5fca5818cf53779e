/**
 * Words the remedies of errors for each surface: methods for the library, options for the command
 * line, keys for a policy. Errors only carry the values.
 */
import {
  pathRules,
  portRules,
  type PathRuleName,
  type PortRuleName,
  type presetNames,
} from "../vocabulary.ts";

/** Where a person sees an error. `"key"`, `"toml"` and `"yaml"` are policies: data, or a file. */
export type Surface = "method" | "option" | PolicyNotation;

/** How a policy is written. `"key"`: as JSON, or as data in a program. */
export type PolicyNotation = "key" | "toml" | "yaml";

/** @param path The path of the policy */
export function notationOf(path: string): PolicyNotation {
  if (path.endsWith(".toml")) return "toml";
  return /\.ya?ml$/.test(path) ? "yaml" : "key";
}

/** Some settings as a line of a policy, such as `"bestEffort": true` or `bestEffort = true`. */
export function settingsAs(notation: PolicyNotation, settings: object): string {
  const value = (one: unknown): string => {
    if (Array.isArray(one)) return `[${one.map(value).join(", ")}]`;
    return typeof one === "object" && one !== null ? `{ ${line(one)} }` : JSON.stringify(one);
  };
  const line = (all: object) =>
    Object.entries(all)
      .map(([key, one]) => {
        if (notation === "key") return `"${key}": ${value(one)}`;
        return notation === "toml" ? `${key} = ${value(one)}` : `${key}: ${value(one)}`;
      })
      .join(", ");
  return line(settings);
}

/**
 * What got an invalid value: a rule's or a preset's constructor, or something with the same name on
 * all surfaces.
 */
export type Subject =
  | { readonly rule: PathRuleName | PortRuleName }
  | { readonly preset: keyof typeof presetNames }
  | string;

/** Hints by their id, with the values that their text needs. */
interface Hints {
  /** An invalid argument. `place` says where in it, such as `"[0]"`. */
  readonly argument: { readonly subject: Subject; readonly place: string };
  /** Paths that don't exist. */
  readonly missing: { readonly paths: readonly string[] };
  /** Paths of which at least one can't be used, for a reason given in the problem. */
  readonly unusable: {};
  /** Open files that Landlock doesn't restrict, such as pipes. */
  readonly needless: {};
  /** A strict Config asks for more than the kernel's `abi` supports. */
  readonly tooNew: { readonly abi: number };
  /** A strict Config asks for a feature that is broken in this kernel. */
  readonly erratum: {};
  /** A command would run although nothing can be restricted. */
  readonly none: {};
  /** Best effort requires an ABI that the kernel lacks. */
  readonly atLeast: {};
  /** A rule grants a right that its Config doesn't handle. The right needs `abi`. */
  readonly unhandled: { readonly what: string; readonly abi: number };
  /** A Config handles no right. */
  readonly nothing: {};
  /** A right that applies only to directories is granted on something else. */
  readonly directoryRight: {};
  /** The sandbox prevents a program from being executed. */
  readonly execute: { readonly program: string };
}

/** A remedy, as data. */
export type Hint = { [Id in keyof Hints]: { readonly id: Id } & Hints[Id] }[keyof Hints];

type Words = { [Id in keyof Hints]: (problem: string, values: Hints[Id]) => string };

const ruleWords = { ...pathRules, ...portRules };

function nameOf(subject: Subject, surface: Surface): string {
  if (typeof subject === "string") return subject;
  if ("preset" in subject) {
    return surface === "method" ? `presets.${subject.preset}()` : `preset ${subject.preset}`;
  }
  return surface === "option" ? ruleWords[subject.rule].option : `${subject.rule}()`;
}

const at = (...places: string[]) => places.filter((place) => place !== "").join(": ");

/** The texts for missing paths. `it` is `"it"` or `"them"`. */
type MissingWords = {
  [Kind in Unexpanded["kind"]]: (what: Unexpanded & { kind: Kind }) => string;
} & {
  readonly plain: (it: string) => string;
};

function missing(problem: string, paths: readonly string[], say: MissingWords): string {
  for (const path of paths) {
    const what = unexpandedIn(path);
    if (!what) continue;
    const word = say[what.kind] as (what: Unexpanded) => string;
    return `${problem}; ${word(what)}`;
  }
  return `${problem}; ${say.plain(paths.length > 1 ? "them" : "it")}`;
}

/** Texts that are the same on all surfaces. */
const common = {
  unusable: (problem: string) => `${problem}; correct the path, or leave it out`,
  needless: (problem: string) => `${problem}; leave it out, it needs no rule`,
};

const granted = (problem: string, rule: string) =>
  `${problem}; grant execute on it, its interpreter and its libraries, as with ${rule}`;

/** Whether a program's interpreter and libraries are beneath /usr, and probably the program too. */
const isSystem = (program: string) => /^\/(usr|s?bin)\/(?!local\/)/.test(program);

/** The preset for a program. A placeholder replaces names that a shell or a policy might expand. */
const presetFor = (program: string) =>
  `executable=${/^[\w./+@-]+$/.test(program) ? program : "PROGRAM"}`;

const words: Readonly<Record<"method" | "option", Words>> = {
  method: {
    ...common,
    argument: (problem, { subject, place }) => at(nameOf(subject, "method"), place, problem),
    missing: (problem, { paths }) =>
      missing(problem, paths, {
        plain: (it) => `create ${it}, or add .ignoreIfMissing()`,
        variable: ({ text, name }) =>
          `paths are taken as they are: use process.env.${name} in place of ${text}`,
        home: () => "paths are taken as they are: use os.homedir() in place of ~",
        wildcard: ({ text, folder }) =>
          `paths are taken as they are: in place of ${text} name the directory "${folder}"`,
      }),
    tooNew: (problem) =>
      `${problem}; use a lower version, or .bestEffort() to restrict what is possible`,
    erratum: (problem) => `${problem}; use a newer kernel, or .bestEffort() to leave it out`,
    none: (problem) => `${problem}; to do without a sandbox, use .bestEffort({ allowNone: true })`,
    atLeast: (problem) => `${problem}: use a newer kernel or a lower atLeast`,
    unhandled: (problem, { what }) =>
      `${problem}: this Config does not restrict ${what} here; leave the rule out, or use a Config and a method that do`,
    nothing: () =>
      "This Config restricts nothing here: use one that handles a right of this method",
    directoryRight: (problem) => `${problem}; leave it out, or use a preset like roFiles()`,
    execute: (problem, { program }) =>
      granted(problem, `presets.executable(${JSON.stringify(program)})`),
  },
  option: {
    ...common,
    // The words after an option have no index, and the problem already names the value.
    argument: (problem, { subject, place }) => {
      const isOption = typeof subject === "object" && "rule" in subject;
      return at(nameOf(subject, "option"), isOption ? "" : place, problem);
    },
    missing: (problem, { paths }) =>
      missing(problem, paths, {
        plain: (it) => `create ${it}, or write +ignore_missing before ${it}`,
        variable: ({ text }) =>
          `no shell replaced ${text}: leave out the single quotes, or write its value`,
        home: () => "no shell replaced ~: leave out the quotes, or write your home directory",
        wildcard: ({ text, folder }) =>
          `no shell found a file for ${text}: name the directory itself, "${folder}"`,
      }),
    tooNew: (problem, { abi }) => `${problem}; leave out -strict, or give -${abi}`,
    erratum: (problem) => `${problem}; use a newer kernel, or leave out -strict`,
    none: (problem) => `${problem}; to do without a sandbox, add -allow-none`,
    atLeast: (problem) => `${problem}: use a newer kernel, or a lower atLeast in the policy`,
    unhandled: (problem, { what, abi }) =>
      `${problem}: ${what} needs ABI ${abi}; give -${abi} or a higher one, or leave the rule out`,
    nothing: (problem) => `${problem}: leave out any, or name a path`,
    directoryRight: (problem) => `${problem}; leave it out, or use -rofiles or -rwfiles`,
    execute: (problem, { program }) =>
      granted(problem, isSystem(program) ? "-ro /usr" : `-preset ${presetFor(program)}`),
  },
};

/** The words for policies, with settings as their file spells them. */
function keyWords(notation: PolicyNotation): Words {
  const set = (settings: object) => settingsAs(notation, settings);
  return {
    ...common,
    argument: (problem, { subject, place }) => at(nameOf(subject, "key"), place, problem),
    missing: (problem, { paths }) =>
      missing(problem, paths, {
        plain: (it) => `create ${it}, or put ${it} under paths with ${set({ ifMissing: "skip" })}`,
        variable: ({ text, name }) =>
          `${text} is not replaced: write \${${name}}, with ${set({ variables: { [name]: { env: name } } })}`,
        home: () =>
          `~ is not replaced: write \${HOME}, with ${set({ variables: { HOME: { env: "HOME" } } })}`,
        wildcard: ({ text, folder }) =>
          `${text} is not replaced: name the directory itself, "${folder}"`,
      }),
    tooNew: (problem, { abi }) =>
      `${problem}; lower abi to ${abi}, or set ${set({ bestEffort: true })}`,
    erratum: (problem) => `${problem}; use a newer kernel, or set ${set({ bestEffort: true })}`,
    none: (problem) =>
      `${problem}; to do without a sandbox, set ${set({ bestEffort: { allowNone: true } })}`,
    atLeast: (problem) => `${problem}: use a newer kernel, or a lower bestEffort.atLeast`,
    unhandled: (problem, { what, abi }) =>
      `${problem}: the policy does not restrict ${what}; remove it, or set abi to ${abi} or higher`,
    nothing: (problem) => `${problem}: remove an entry from unrestricted`,
    directoryRight: (problem) => `${problem}; leave it out, or use roFiles or rwFiles`,
    execute: (problem, { program }) => granted(problem, set({ presets: [presetFor(program)] })),
  };
}

/**
 * Combines a problem and its remedy to a message.
 *
 * @param problem What could not be done, and why
 */
export function worded(problem: string, hint: Hint, surface: Surface): string {
  const all = surface === "method" || surface === "option" ? words[surface] : keyWords(surface);
  const word = all[hint.id] as (problem: string, values: Hint) => string;
  return word(problem, hint);
}

/** Something in a path that would need expansion, and how it was spelled. */
type Unexpanded =
  /** `text` is for example `"$HOME"`, and `name` then `"HOME"`. */
  | { readonly kind: "variable"; readonly text: string; readonly name: string }
  | { readonly kind: "home" }
  /** `folder` is the path before the first wildcard. */
  | { readonly kind: "wildcard"; readonly text: string; readonly folder: string };

/** Finds a variable, `~` or a wildcard in a path. An existing file may really have such a name. */
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
