import type { Collection, Derived } from '../graph/model.ts';
import type { McpAppProtocol, PublicKey, ResourceMetadata } from '../resources/model.ts';

export type { BundleVersions, FetchedKeys, McpAppProtocol, UnlistedNamespaces } from '../resources/model.ts';

/**
 * The configuration of gateways before it is encoded. Each branded type has one constructor, in `translate/names.ts`: a
 * value that would crash or open a data plane (`docs/wire.md`) cannot be constructed.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `<namespace>/<service>` or `<namespace>/<service>/<port>`; contains no `:`. */
export type TargetName = Brand<string, 'TargetName'>;
/** A DNS name, an IPv4 address, or an IPv6 address in brackets. */
export type Host = Brand<string, 'Host'>;
/** 1 to 65535. */
export type Port = Brand<number, 'Port'>;
/** Empty, or begins with exactly one `/`. */
export type UrlPath = Brand<string, 'UrlPath'>;
/** 1 to 253 characters, none of them a control character. */
export type ClaimKey = Brand<string, 'ClaimKey'>;
/** 1 to 1024 characters, none of them a control character. */
export type ClaimValue = Brand<string, 'ClaimValue'>;
/** `*`, or `<target name>:<name>` with non-empty parts. */
export type ResourceId = Brand<string, 'ResourceId'>;
/** A DNS-1123 label. */
export type NamespaceName = Brand<string, 'NamespaceName'>;
/** A DNS-1123 subdomain. */
export type ObjectName = Brand<string, 'ObjectName'>;

/** One MCP server: one port of one Service. */
export interface Target {
  readonly name: TargetName;
  readonly namespace: NamespaceName;
  readonly host: Host;
  readonly port: Port;
  readonly path: UrlPath;
  /** What its port declares. A dialect that names the transport derives it from this and the path. */
  readonly appProtocol: McpAppProtocol;
}

/** Allows callers with one claim to use one item, or all items of a kind. */
export interface Rule {
  readonly claim: ClaimKey;
  readonly value: ClaimValue;
  readonly kind: 'tool' | 'prompt' | 'resource';
  readonly id: ResourceId;
}

/** The rules of one policy. Never empty: gateways read an empty list as "everyone may" (`docs/wire.md`). */
export interface PolicyConfig {
  readonly namespace: NamespaceName;
  readonly name: ObjectName;
  readonly rules: readonly [Rule, ...Rule[]];
}

/** One issuer whose tokens count at a Gateway, for data planes that take it over xDS. */
export interface JwtProvider {
  /** The required value of `iss`. */
  readonly issuer: string;
  /** One of them must be in `aud`; empty: any audience. */
  readonly audiences: readonly string[];
  /** At least one, by `kid`; no other provider of the Gateway has a key of that `kid`. Gateways share what was fetched. */
  readonly keys: readonly PublicKey[];
  /** Where clients get tokens (RFC 9728); only of the single provider of a Gateway, since agentgateway takes no more. */
  readonly resourceMetadata?: ResourceMetadata;
}

/** The settings of the translation, constant for the life of the process. */
export interface TranslationSettings {
  /** The `spec.controllerName` of our GatewayClasses. Default: `kgateway.dev/kgateway`. */
  readonly controllerName: string;
  /** The suffix of every Service's DNS name after `.svc.`. Default: `cluster.local`. */
  readonly clusterDomain: string;
  /** Allows Services of type ExternalName as targets. Default: true. */
  readonly externalNameServices: boolean;
  /** Allows targets on the gateway's own machine. Default: false. */
  readonly allowLoopbackTargets: boolean;
  /** What all Gateways may have together. Default: 500,000 namespaces, 16 MiB. */
  readonly room?: TranslationRoom;
}

/** What all Gateways may have together (decision 59). */
export interface TranslationRoom {
  /** Namespaces that selectors select. */
  readonly selectedNamespaces: number;
  /** Bytes of the keys of `spec.jwt`, those of a policy once for each of its Gateways. */
  readonly keyBytes: number;
}

/** `<namespace>/<name>` of a Gateway. */
export type GatewayKey = string;

/** The namespaces whose targets a Gateway serves. `namespaces` is sorted and without duplicates. */
export type NamespaceScope =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'namespaces'; readonly namespaces: readonly [string, ...string[]] };

/** The state of a Gateway object. Every readable Gateway object has an entry under its key. */
export type GatewayState =
  /** Its class belongs to another controller, or does not exist. */
  | { readonly kind: 'foreign' }
  /** Ours and not accepted: served an empty snapshot. */
  | { readonly kind: 'rejected' }
  /** Ours: served its Configs and the targets of its scope. */
  | { readonly kind: 'served'; readonly scope: NamespaceScope };

/** An accepted MCP listener of a served Gateway. */
export interface McpListener {
  /** Unique in its Gateway. */
  readonly name: string;
  /** Unique among the accepted listeners of its Gateway. */
  readonly port: number;
}

/** The Config of one policy on one Gateway; exists only for a served Gateway. */
export interface Attachment {
  readonly gateway: GatewayKey;
  /** The key of the policy in `configs`. */
  readonly policy: string;
}

/**
 * A `metav1.Condition` without its transition time.
 *
 * @typeParam Type the types that an object of one kind may have. The status writer owns exactly these, so that a
 * condition that it writes never stays in the cluster when it is no longer true.
 */
export interface Condition<Type extends string = string> {
  readonly type: Type;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  /** For users: the field, the error and the remedy. */
  readonly message: string;
  readonly observedGeneration?: number;
}

/** The condition types of a GatewayClass. */
export type GatewayClassConditionType = 'Accepted' | 'SupportedVersion' | 'kgateway.dev/InternalError';

/** The condition types of a Gateway. */
export type GatewayConditionType =
  | 'Accepted'
  | 'Programmed'
  | 'kgateway.dev/MCPAuthPolicyAffected'
  | 'kgateway.dev/JWTProvided'
  | 'kgateway.dev/InternalError';

/** The condition types of a listener. */
export type ListenerConditionType = 'Accepted' | 'ResolvedRefs' | 'Programmed' | 'Conflicted';

/** The condition types of a policy. */
export type PolicyConditionType = 'Accepted' | 'kgateway.dev/PartiallyInvalid' | 'kgateway.dev/InternalError';

/** `status` of a GatewayClass. */
export interface GatewayClassStatus {
  readonly kind: 'GatewayClass';
  readonly name: string;
  readonly conditions: readonly Condition<GatewayClassConditionType>[];
}

/** An entry of `status.listeners`; MCP listeners have no routes. */
export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly [];
  readonly attachedRoutes: 0;
  readonly conditions: readonly Condition<ListenerConditionType>[];
}

/** `status` of a Gateway. */
export interface GatewayStatus {
  readonly kind: 'Gateway';
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly Condition<GatewayConditionType>[];
  readonly addresses: readonly { readonly type: 'IPAddress' | 'Hostname'; readonly value: string }[];
  /**
   * A map by name: a listener whose name is invalid or not unique is reported in the Gateway's condition `Accepted`
   * only.
   */
  readonly listeners: readonly ListenerStatus[];
}

/** A Gateway whose GatewayClass does not exist: it is nobody's, and what a controller wrote about it no longer holds. */
export interface GatewayWithoutClass {
  /** The status of a Gateway that no controller has taken up (Gateway API, defaults of `status.conditions`). */
  readonly status: GatewayStatus;
  /** The messages of `Programmed` by which a status of this controller is known: only such a one is replaced. */
  readonly replaces: readonly string[];
}

/** `group` and `kind` with their defaults filled in; `namespace` only where the user wrote it. */
export interface AncestorRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
}

/** `status` of an MCPAuthPolicy (a PolicyStatus of the Gateway API). */
export interface PolicyStatus {
  readonly kind: 'MCPAuthPolicy';
  readonly namespace: string;
  readonly name: string;
  /** The number of callers and resources that the policy allows: one for each match of each valid rule. */
  readonly grants: number;
  /** The first of them, and how many more there are, for a column of `kubectl get`. */
  readonly allows: string;
  readonly ancestors: readonly {
    readonly ancestorRef: AncestorRef;
    readonly controllerName: string;
    readonly conditions: readonly Condition<PolicyConditionType>[];
  }[];
}

/**
 * The reasons why a Service, or a port of it, is dropped. A Service has no conditions of ours: they are Events and log
 * lines.
 */
export interface ServiceNotice {
  readonly namespace: string;
  readonly name: string;
  /** Sentences, in the order of the fields. */
  readonly dropped: readonly string[];
  readonly warnings: readonly string[];
}

/** Errors of a policy's references without a place in its status: they are Events and log lines. */
export interface PolicyNotice {
  readonly namespace: string;
  readonly name: string;
  /** Sentences, in the order of the references. */
  readonly unwritable: readonly string[];
}

/** Failures to fetch the keys of a policy: they are Events, since the last good keys stay in use. */
export interface KeyNotice {
  readonly namespace: string;
  readonly name: string;
  /** Sentences, in the order of the providers. */
  readonly failures: readonly string[];
}

/** The outputs of the translation. */
export interface Translation {
  /** By target name. */
  readonly targets: Collection<Target>;
  /** By `<namespace>/<name>` of the policy. */
  readonly configs: Collection<PolicyConfig>;
  /** By `<gateway key>|<policy key>`; also those of Gateways that are not served, or do not exist. */
  readonly attachments: Collection<Attachment>;
  /** The keys of the policies that are attached to a Gateway, sorted; found by an index. */
  attachedPolicies(gateway: GatewayKey): readonly string[];
  /** The keys of the Gateways that a policy is attached to, sorted. */
  attachedGateways(policy: string): readonly GatewayKey[];
  /** By Gateway key. */
  readonly gateways: Collection<GatewayState>;
  /**
   * By the key of a served Gateway of which a policy says who may sign tokens. Empty: nobody, because no key is usable or
   * fetched. Without an entry nobody may either.
   */
  readonly jwtProviders: Collection<readonly JwtProvider[]>;
  /** The addresses of keys that served Gateways need, each after their namespace and a blank; as keys and values. */
  readonly jwksUris: Collection<string>;
  /** Statuses and notices are by name, or by `<namespace>/<name>`; objects of other controllers have none. */
  readonly gatewayClassStatuses: Derived<GatewayClassStatus>;
  readonly gatewayStatuses: Derived<GatewayStatus>;
  readonly gatewaysWithoutClass: Collection<GatewayWithoutClass>;
  readonly policyStatuses: Derived<PolicyStatus>;
  readonly serviceNotices: Collection<ServiceNotice>;
  readonly policyNotices: Collection<PolicyNotice>;
  readonly keyNotices: Collection<KeyNotice>;
  /**
   * Adds a collection to the graph, by Gateway key: the accepted listeners of each served Gateway, in document order.
   * Only some dialects have listeners, and a collection that no dialect reads would cost every edit.
   */
  deriveListeners(): Collection<readonly McpListener[]>;
}
