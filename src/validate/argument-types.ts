/** Types of arguments that reject invalid calls with a readable message. */
import type { FsRuleData, NetRuleData } from "./rule-data.ts";
import type { PathLike } from "./values.ts";

/**
 * The arguments if they are valid, otherwise what they should be, so that the error names one
 * argument.
 */
type Sound<Given, Right> = Given extends Right ? Given : Right;

type CheckedPath<Path> = Path extends PathLike
  ? Path
  : Path extends readonly unknown[]
    ? "give paths one by one: ...list"
    : PathLike;

/** False for a list of unknown length, which may be longer. */
type IsZero<Length> = number extends Length ? false : [Length] extends [0] ? true : false;

/** At least one path. A spread list may be empty. */
export type Paths<Given extends readonly unknown[]> =
  IsZero<Given["length"]> extends true
    ? [path: PathLike]
    : Sound<Given, { [At in keyof Given]: CheckedPath<Given[At]> }>;

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Whether a five-digit number is above 65535. */
type IsAbove<Text extends string> = Text extends
  `${7 | 8 | 9}${string}` | `6${6 | 7 | 8 | 9}${string}`
  ? true
  : Text extends `65${6 | 7 | 8 | 9}${string}` | `655${4 | 5 | 6 | 7 | 8 | 9}${string}`
    ? true
    : Text extends `6553${6 | 7 | 8 | 9}`
      ? true
      : false;

/** Whether a number's text is a valid port. */
type IsPort<Text extends string> = Text extends
  `-${string}` | `${string}${"." | "e" | "N" | "I"}${string}`
  ? false
  : Text extends `${Digit}${Digit}${Digit}${Digit}${infer Last}`
    ? Last extends ""
      ? true
      : Last extends `${Digit}`
        ? IsAbove<Text> extends true
          ? false
          : true
        : false
    : true;

type CheckedPort<Port> = Port extends number
  ? number extends Port
    ? Port
    : IsPort<`${Port}`> extends true
      ? Port
      : "a port is an integer from 0 to 65535"
  : number;

/** Ports. Literal numbers are checked. */
export type Ports<Given extends readonly unknown[]> = Sound<
  Given,
  { [At in keyof Given]: CheckedPort<Given[At]> }
>;

type Without<Other, Given extends readonly unknown[], Sentence> = Sound<
  Given,
  { [At in keyof Given]: Given[At] extends Other ? Sentence : Given[At] }
>;

/** The rules of a method that only restricts paths. */
export type PathRules<Given extends readonly unknown[]> = Without<
  NetRuleData,
  Given,
  "restrictPaths() takes no ports: use restrict()"
>;

/** The rules of a method that only restricts ports. */
export type PortRules<Given extends readonly unknown[]> = Without<
  FsRuleData,
  Given,
  "restrictNet() takes no paths: use restrict()"
>;
