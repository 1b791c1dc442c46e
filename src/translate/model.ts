import type { Collection } from '../graph/model.ts';

/**
 * What gateways are told, before it is encoded. The branded types have one constructor each, in `translate/names.ts`:
 * what crashes or opens a data plane (`docs/wire.md`) has no value of these types.
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
/** `*`, or `<target name>:<name>` with something on both sides. */
export type ResourceId = Brand<string, 'ResourceId'>;
/** A DNS-1123 label. */
export type NamespaceName = Brand<string, 'NamespaceName'>;
/** A DNS-1123 subdomain. */
export type ObjectName = Brand<string, 'ObjectName'>;

/** One MCP server, reached through one port of one Service. */
export interface Target {
  readonly name: TargetName;
  readonly namespace: NamespaceName;
  readonly host: Host;
  readonly port: Port;
  readonly path: UrlPath;
}

/** Allows one resource, or all of a kind, to callers with one claim. */
export interface Rule {
  readonly claim: ClaimKey;
  readonly value: ClaimValue;
  readonly kind: 'tool' | 'prompt' | 'resource';
  readonly id: ResourceId;
}

/** The rules of one policy. Never empty: gateways read an empty list as "everyone may". */
export interface PolicyConfig {
  readonly namespace: NamespaceName;
  readonly name: ObjectName;
  readonly rules: readonly [Rule, ...Rule[]];
}

/** What the translation is told once, besides objects. */
export interface TranslationSettings {
  /** GatewayClasses with this name are ours: `kgateway.dev/kgateway`. */
  readonly controllerName: string;
  /** The last labels of every Service's DNS name: `cluster.local`. */
  readonly clusterDomain: string;
  /** Whether a Service of type ExternalName may be a target. */
  readonly externalNameServices: boolean;
  /** Whether a target may be on the gateway's own machine. */
  readonly allowLoopbackTargets: boolean;
}

/**
 * The labels of a namespace without a Namespace object. `named`: just `kubernetes.io/metadata.name`. `unknown`: nobody
 * can tell, so no selector matches.
 */
export type UnlistedNamespaces = 'named' | 'unknown';

/** What the CRDs of the Gateway API say that they are; only a cluster has them. */
export type BundleVersions =
  /** By the name of the CRD, sorted; undefined: it does not say. */
  | { readonly known: true; readonly versions: readonly (readonly [crd: string, version: string | undefined])[] }
  | { readonly known: false; readonly reason: string };

/** `<namespace>/<name>` of a Gateway. */
export type GatewayKey = string;

/** Which namespaces' targets a Gateway serves. `namespaces` is sorted and without duplicates. */
export type NamespaceScope =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'namespaces'; readonly namespaces: readonly [string, ...string[]] };

/** What a Gateway object is to us, by its key. Every readable Gateway object has an entry. */
export type GatewayState =
  /** Its class is another controller's, or does not exist. */
  | { readonly kind: 'foreign' }
  /** Ours and not accepted: an empty snapshot. */
  | { readonly kind: 'rejected' }
  /** Ours: its Configs, and the targets of its scope. */
  | { readonly kind: 'served'; readonly scope: NamespaceScope };

/** One policy's Config for one Gateway; exists only where the Gateway is served. */
export interface Attachment {
  readonly gateway: GatewayKey;
  /** The key of the policy in `configs`. */
  readonly policy: string;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  /** For people: what is wrong with which field, and what to do. */
  readonly message: string;
  readonly observedGeneration?: number;
}

export interface GatewayClassStatus {
  readonly kind: 'GatewayClass';
  readonly name: string;
  readonly conditions: readonly Condition[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly [];
  readonly attachedRoutes: 0;
  readonly conditions: readonly Condition[];
}

export interface GatewayStatus {
  readonly kind: 'Gateway';
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
  readonly addresses: readonly { readonly type: 'IPAddress' | 'Hostname'; readonly value: string }[];
  /** A map by name: listeners whose name is not unique, or cannot be read, are told in the condition `Accepted` only. */
  readonly listeners: readonly ListenerStatus[];
}

/** `group` and `kind` are written out; `namespace` only when it was. */
export interface AncestorRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
}

export interface PolicyStatus {
  readonly kind: 'MCPAuthPolicy';
  readonly namespace: string;
  readonly name: string;
  readonly ancestors: readonly {
    readonly ancestorRef: AncestorRef;
    readonly controllerName: string;
    readonly conditions: readonly Condition[];
  }[];
}

/** A Service that is dropped, wholly or a port of it, and why: there is no status to say it in. */
export interface ServiceNotice {
  readonly namespace: string;
  readonly name: string;
  /** Sentences, in the order of the fields. */
  readonly dropped: readonly string[];
  readonly warnings: readonly string[];
}

/** What is to say of a policy's references and has no place in its status: a cluster says it in an Event. */
export interface PolicyNotice {
  readonly namespace: string;
  readonly name: string;
  /** Sentences, in the order of the references. */
  readonly unwritable: readonly string[];
}

/** Everything that the translation computes. */
export interface Translation {
  /** By target name. */
  readonly targets: Collection<Target>;
  /** By `<namespace>/<name>` of the policy. */
  readonly configs: Collection<PolicyConfig>;
  /** By `<gateway key>|<policy key>`. */
  readonly attachments: Collection<Attachment>;
  /** By Gateway key. */
  readonly gateways: Collection<GatewayState>;
  /** Objects that are none of our business have no entry. By name, or `<namespace>/<name>`. */
  readonly gatewayClassStatuses: Collection<GatewayClassStatus>;
  readonly gatewayStatuses: Collection<GatewayStatus>;
  readonly policyStatuses: Collection<PolicyStatus>;
  readonly serviceNotices: Collection<ServiceNotice>;
  readonly policyNotices: Collection<PolicyNotice>;
}
