/** What can be allowed: the kinds of things that an MCP server offers. */
export type UseKind = 'tool' | 'prompt' | 'resource';

/** One thing that a caller wants to use. */
export interface Use {
  readonly kind: UseKind;
  /** `<target name>:<name>`, as the rules of the wire spell it; the target name ends at the first colon. */
  readonly name: string;
}

/** The payload of a verified token. Only own, top-level, string-valued claims can match a rule. */
export type Claims = Readonly<Record<string, unknown>>;

/** Whether a use is allowed, and what says so. */
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
