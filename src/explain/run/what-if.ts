/** A modelled sandbox in which to try out rules. It restricts nothing. */
import type { Layer } from "../../model/layer.ts";
import type { Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import type { Files, Place } from "../../model/place.ts";
import { denialsOf, withRule, type Sandbox } from "../remedy.ts";
import { fixOf, type RuleSpec } from "../spell.ts";
import type { Rule } from "../../sandbox/rules.ts";
import { stepsOf } from "./steps.ts";

/** The layers of a sandbox, and what they would be with more rules. */
export class WhatIf {
  readonly #sandbox: Sandbox;
  readonly #rules = new Map<RuleSpec, Rule | undefined>();

  /**
   * @param sandbox Its files are looked up only once, because the same ones are needed repeatedly
   */
  constructor(sandbox: Sandbox) {
    this.#sandbox = { ...sandbox, files: remembered(sandbox.files) };
  }

  /** Where its paths are looked up. */
  get files(): Files {
    return this.#sandbox.files;
  }

  /** Rights that the sandbox denies unless they are granted. */
  get handled(): Pick<Layer["handled"], "fs" | "net"> {
    const all = this.#sandbox.layers.map((layer) => layer.handled);
    return { fs: all.flatMap(({ fs }) => fs), net: all.flatMap(({ net }) => net) };
  }

  /** The same sandbox with these rules added. */
  with(ruleSpecs: readonly RuleSpec[]): WhatIf {
    const sandbox = ruleSpecs.reduce((all, ruleSpec) => {
      const rule = this.#ruleOf(ruleSpec);
      return rule === undefined ? all : withRule(all, rule);
    }, this.#sandbox);
    const next = new WhatIf(sandbox);
    for (const [ruleSpec, rule] of this.#rules) next.#rules.set(ruleSpec, rule);
    return next;
  }

  /** What is denied of an operation. */
  missing(operation: Operation): readonly Denial[] {
    return denialsOf(stepsOf(operation), this.#sandbox);
  }

  /** Makes each rule once, because presets read files. */
  #ruleOf(ruleSpec: RuleSpec): Rule | undefined {
    if (!this.#rules.has(ruleSpec)) this.#rules.set(ruleSpec, fixOf([ruleSpec]).rule);
    return this.#rules.get(ruleSpec);
  }
}

function remembered(files: Files): Files {
  const known = new Map<string, Place>();
  return {
    find(path, follow) {
      const key = `${follow} ${path}`;
      const place = known.get(key) ?? files.find(path, follow);
      known.set(key, place);
      return place;
    },
  };
}
