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

/** The answer to an access request: the rule that allows it, or the reason for the denial. */
export type Decision =
  | {
      readonly allowed: true;
      /** The resource name of the Config, `<namespace>.<name>`. */
      readonly config: string;
      /** The position of the rule in that Config, from 0. */
      readonly rule: number;
    }
  | {
      readonly allowed: false;
      readonly reason: 'no principal' | 'no config' | 'no rule matches';
    };
