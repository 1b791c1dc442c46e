import type { AccessRequest, Claims } from '../authz/model.ts';
import type { Collection } from '../graph/model.ts';
import type { KindName, Path, ResourceByKind } from '../resources/model.ts';
import type { GatewayKey, Translation, UnlistedNamespaces } from '../translate/model.ts';

export type { AccessRequest, Claims } from '../authz/model.ts';

/** What explanations are computed from: the objects as written, and what the translation made of them. */
export interface ExplainInputs {
  readonly resources: { readonly [K in KindName]: Collection<ResourceByKind[K]> };
  readonly unlistedNamespaces: Collection<UnlistedNamespaces>;
  readonly translation: Translation;
  /** The `spec.controllerName` of our GatewayClasses. */
  readonly controllerName: string;
}

/** A field of an object. An empty path is the whole object. */
export interface Place {
  readonly kind: KindName;
  /** `<namespace>/<name>`, or the name of a cluster-scoped object. */
  readonly key: string;
  readonly path: Path;
}

/** The name of a kind of reason: stable, for programs. The order is that of the answer, nearest first. */
export type ReasonCode =
  | 'gateway-unknown'
  | 'gateway-foreign'
  | 'gateway-not-accepted'
  | 'no-policy'
  | 'name-form'
  | 'target-unknown'
  | 'claim-not-string'
  | 'other-gateway'
  | 'reference-invalid'
  | 'claim-value'
  | 'claim-missing'
  | 'other-kind'
  | 'policy-invalid'
  | 'policy-partly-invalid'
  | 'other-name'
  | 'target-not-served'
  | 'no-rule';

/** Why a call is denied, or does not succeed although it is allowed; with the remedy. */
export interface Reason {
  readonly code: ReasonCode;
  /** The field to look at; undefined when nothing is written that could be it. */
  readonly at: Place | undefined;
  readonly message: string;
}

/** A rule that reaches a Gateway: one match of one rule of one policy, as its author wrote it. */
export interface Grant {
  /** `<namespace>/<name>` of the policy. */
  readonly policy: string;
  /** The index in `spec.rules`. */
  readonly rule: number;
  /** The index in `matches` of the rule. */
  readonly match: number;
  readonly claim: string;
  readonly value: string;
  readonly kind: AccessRequest['kind'];
  /** `*` for everything of the kind, or `<target>:<name>`. */
  readonly name: string;
  /** Whether the Gateway serves the target that `name` begins with; true for `*`. */
  readonly served: boolean;
}

/** The answer to one question. */
export type Verdict =
  | {
      readonly allowed: true;
      readonly by: Grant;
      /** Why the call would not succeed nevertheless. */
      readonly remarks: readonly Reason[];
    }
  | {
      readonly allowed: false;
      /** Nearest first; never empty. */
      readonly reasons: readonly Reason[];
      /** The number of further near misses, which are left out. */
      readonly omitted: number;
    };

/** Something that an author probably did not mean, or that is not accepted; with the remedy. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** `status`: a condition says it too. `hint`: nothing else does. */
  readonly from: 'status' | 'hint';
  readonly at: Place;
  readonly message: string;
}

/** Who may sign the tokens of a Gateway, as its policies say it. */
export interface SignerClaim {
  /** Equal for equal claims. */
  readonly fingerprint: string;
  /** The issuers of all of them, sorted. */
  readonly issuers: readonly string[];
}

/** Something to correct. `input`: decoding found it. `status`: a condition says it. `hint`: probably not meant. */
export interface ListedProblem {
  readonly severity: 'error' | 'warning';
  readonly from: 'input' | 'status' | 'hint';
  /** The kind of the object, or undefined for a file as a whole. */
  readonly kind: string | undefined;
  /** `<namespace>/<name>` of the object. */
  readonly key: string | undefined;
  readonly field: string;
  /** Where it is written: a place in a file, or the API path of the object; undefined until it is looked up. */
  readonly place: string | undefined;
  readonly message: string;
  /** The field of a finding, to look up its place. */
  readonly at: Place | undefined;
}

/** What is wrong in a whole world. */
export interface ProblemList {
  readonly errors: number;
  readonly warnings: number;
  /** By kind of object, `File` for a file as a whole. */
  readonly kinds: ReadonlyMap<string, { readonly errors: number; readonly warnings: number }>;
  /** The first problems, errors before warnings. */
  readonly listed: readonly ListedProblem[];
}

/** Which rules are asked for: those that match the claims or the request given. */
export interface GrantFilter {
  readonly claims?: Claims;
  readonly request?: AccessRequest;
}

/** Who may sign the tokens that agentgateway nodes of a Gateway accept. */
export interface TokenSigners {
  readonly providers: readonly {
    readonly issuer: string;
    /** One of them must be in the token; empty: any. */
    readonly audiences: readonly string[];
    /** The ids of its keys. */
    readonly keyIds: readonly string[];
  }[];
  /** Why nobody may, with the remedy; undefined when there is a provider. */
  readonly problem: string | undefined;
}

/** Answers questions about the present state of the inputs; keeps nothing, and costs nothing until it is asked. */
export interface Explainer {
  /** The keys of the Gateways of ours, sorted. */
  gateways(): readonly GatewayKey[];
  /** The keys of the Gateways of other controllers, or of classes that do not exist, sorted. */
  foreignGateways(): readonly GatewayKey[];
  /** Why a Gateway serves nobody, beginning with a key that names none; empty for a served one. */
  gatewayReasons(gateway: GatewayKey): readonly Reason[];
  /** The names of the targets that a Gateway serves, sorted. */
  targets(gateway: GatewayKey): readonly string[];
  /** Decides as the gateways do, with reasons. */
  decide(gateway: GatewayKey, claims: Claims, request: AccessRequest): Verdict;
  /** The same; yields after each step, so that a caller can divide the work. */
  decideInSteps(gateway: GatewayKey, claims: Claims, request: AccessRequest): Generator<undefined, Verdict>;
  /** The rules on a Gateway, in the order in which they decide: only those that match the claims or the request given. */
  grants(gateway: GatewayKey, filter: GrantFilter): readonly Grant[];
  /** The same; yields after each rule. */
  grantsInSteps(gateway: GatewayKey, filter: GrantFilter): Generator<undefined, readonly Grant[]>;
  /** A text that differs whenever the rules on a Gateway do: cheaper than a comparison of the rules. */
  rulesText(gateway: GatewayKey): string;
  /** Who may sign the tokens of a Gateway as agentgateway nodes are told it; undefined for one that is not served. */
  tokenSigners(gateway: GatewayKey): TokenSigners | undefined;
  /** Who may sign the tokens of each Gateway of which a policy says it. */
  signers(): ReadonlyMap<GatewayKey, SignerClaim>;
  /** What the conditions and notices of all objects report. */
  statusFindings(): Iterable<Finding>;
  /**
   * Looks for mistakes that no condition reports, in all objects. Yields undefined after each step without one, so that a
   * caller can divide the work.
   */
  hints(): Generator<Finding | undefined>;
}

/** A value with the place of the field that it is about; undefined when nothing is written there. */
export type Placed<T> = T & { readonly place: string | undefined };

/** A question about access: who may use what, through which Gateway. */
export interface Question {
  /** `<namespace>/<name>`, or a name in the namespace `default`. Undefined: the only Gateway. */
  readonly gateway: string | undefined;
  /** Undefined: whoever may. */
  readonly claims: Claims | undefined;
  /** Undefined: everything that the caller may use. */
  readonly request: AccessRequest | undefined;
}

/** The answer to a question: the document that `explain -o json` writes and `/debug/explain` returns. */
export type Answer = {
  readonly gateway: GatewayKey;
  readonly request: AccessRequest | undefined;
  /** Undefined for a Gateway that is not served. */
  readonly signers: TokenSigners | undefined;
} & (
  | { readonly verdict: 'allowed'; readonly by: Placed<Grant>; readonly remarks: readonly Placed<Reason>[] }
  | { readonly verdict: 'denied'; readonly reasons: readonly Placed<Reason>[]; readonly omitted: number }
  /** The rules that match the caller, or the request, or all. */
  | {
      readonly verdict: 'grants';
      readonly of: 'caller' | 'anybody';
      readonly grants: readonly Placed<Grant>[];
      /** The number of further rules, which are left out. */
      readonly omitted: number;
      /** The targets that the Gateway serves: a rule for `*` is about all of them. */
      readonly targets: readonly string[];
      /** Why the Gateway serves nobody. */
      readonly remarks: readonly Placed<Reason>[];
    }
);

/** An answer whose places are still to be found; or why the question has none, for who asked. */
export type Answered =
  | {
      readonly ok: true;
      /** The fields that the answer is about. */
      readonly fields: readonly Place[];
      /** The answer, with the place of each of the fields, in their order. */
      answerAt(places: readonly (string | undefined)[]): Answer;
    }
  | { readonly ok: false; readonly message: string };

/** Access to something on a Gateway that a change gives or takes, for every caller with one claim. */
export interface AccessChange {
  readonly gateway: GatewayKey;
  readonly claim: string;
  readonly value: string;
  readonly kind: AccessRequest['kind'];
  /** `<target>:<name>`; `*`: everything of the kind, at `targets`. */
  readonly name: string;
  /** The targets to which a `*` is new; undefined: every target, now and later. */
  readonly targets: readonly string[] | undefined;
  /** The rule that gives it: for access that is lost, as it was before. */
  readonly by: Grant;
}

/** Other signers of tokens than before: callers whom nobody knew may have tokens that count. */
export interface SignerChange {
  readonly gateway: GatewayKey;
  /** The issuers that policies name after the change. */
  readonly issuers: readonly string[];
}
