/** The kinds of primitives that an MCP server offers. */
export type PrimitiveKind = 'tool' | 'prompt' | 'resource';

/** A caller's request to use one primitive. */
export interface AccessRequest {
  readonly kind: PrimitiveKind;
  /** `<target name>:<name>`, as in the rules on the wire; the target name ends at the first colon. */
  readonly name: string;
}

/** The payload of a verified token. Only own, top-level, string-valued claims can match a rule. */
export type Claims = Readonly<Record<string, unknown>>;

/** Where a rule stands. */
export interface RulePlace {
  /** The resource name of the Config, `<namespace>.<name>`. */
  readonly config: string;
  /** The position of the rule in that Config, from 0. */
  readonly rule: number;
}

/** The answer to an access request: the rule that allows it, or the reason for the denial. */
export type Decision =
  | ({ readonly allowed: true } & RulePlace)
  | {
      readonly allowed: false;
      readonly reason: 'no principal' | 'no config' | 'no rule matches';
    };

/** The rules for one name, by claim and then by the value that the claim must have. */
export type RulesOfName = ReadonlyMap<string, ReadonlyMap<string, RulePlace>>;

/** What was added to the rules, or taken from them. */
export interface RuleChanges {
  /** Returns whether that changes what rules of this kind say of these claims. */
  concern(kind: PrimitiveKind, claims: Claims): boolean;
}

/**
 * The rules of all Configs, so ordered that a decision looks only at those that can match: a list of 20,000 tools is
 * 20,000 decisions. Immutable: a change of the rules needs a new index.
 */
export interface RuleIndex {
  /** Whether there is no Config at all. */
  readonly empty: boolean;
  /** The rules whose id is exactly this name; `*` has those for everything of the kind. */
  find(kind: PrimitiveKind, name: string): RulesOfName | undefined;
  /** The targets that the rules for one claim value name; `all` with a rule for `*`; undefined without a rule. */
  targets(kind: PrimitiveKind, claim: string, value: string): 'all' | ReadonlySet<string> | undefined;
  /** The rules of all kinds whose id is a name of this target. */
  findTarget(target: string): RulesOfName | undefined;
  /** The rules of all kinds whose id is `*`. */
  readonly everything: RulesOfName;
}
