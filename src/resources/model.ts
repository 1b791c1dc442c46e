/**
 * The objects that users write, as far as they are understood.
 *
 * A decoder keeps every part that stands alone, readable or not: what cannot be understood is a `Fault` in the place
 * of its value, so nobody downstream can mistake it for an absent one. An object whose frame cannot be read has no
 * value at all. Positions in files are not part of a resource: moving a line changes nothing.
 */

/** A part that was understood, or why it was not. */
export type Part<T> = { readonly ok: true; readonly value: T } | Fault;

/** Says in words what is wrong with a part and what to write instead; starts with the path of the field. */
export interface Fault {
  readonly ok: false;
  readonly reason: string;
}

/** `metadata.generation`; absent in files. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number | undefined;
}

/** `parametersRef` of a GatewayClass or a Gateway. */
export interface ParametersRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Only a GatewayClass has one; never defaulted. */
  readonly namespace: string | undefined;
}

export interface GatewayClass {
  readonly kind: 'GatewayClass';
  /** `namespace` is empty: the kind is cluster-scoped. */
  readonly identity: Identity;
  /** A fault never equals a controller's name: the class is somebody else's. */
  readonly controllerName: Part<string>;
  readonly parametersRef: Part<ParametersRef> | undefined;
}

export interface GatewayParameters {
  readonly kind: 'GatewayParameters';
  readonly identity: Identity;
  /** Understood only when the spec is exactly `selfManaged`. */
  readonly selfManaged: Part<true>;
}

/** Which namespaces a listener allows. */
export type AllowedNamespaces =
  | { readonly from: 'All' }
  | { readonly from: 'Same' }
  /** `selector` is undefined when none is given, or when one label or expression in it is not understood: it selects nothing. */
  | { readonly from: 'Selector'; readonly selector: LabelSelector | undefined; readonly fault: string | undefined };

/** All requirements hold together; none selects everything. Sorted, without duplicates: equal selectors are equal values. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
}

export type LabelRequirement =
  /** The label is there with one of these values; `matchLabels` is this with one value. */
  | { readonly operator: 'In'; readonly key: string; readonly values: readonly [string, ...string[]] }
  /** Also matches a namespace without the label. */
  | { readonly operator: 'NotIn'; readonly key: string; readonly values: readonly [string, ...string[]] }
  | { readonly operator: 'Exists'; readonly key: string }
  | { readonly operator: 'DoesNotExist'; readonly key: string };

/**
 * A listener as written. `name`, `port` and `protocol` are kept one by one, also of a faulty listener: they decide
 * conflicts and where its status stands.
 */
export interface Listener {
  readonly name: Part<string>;
  readonly port: Part<number>;
  /** Any string is understood: what is not `kgateway.dev/mcp` is another protocol. */
  readonly protocol: Part<string>;
  /** Whether `hostname` or `tls` is present (null is not): an MCP listener can honour neither. */
  readonly hostname: boolean;
  readonly tls: boolean;
  /**
   * A fault: an unknown `from` or operator, an unknown field, a null, a wrong type in `allowedRoutes` or below; a label
   * or expression that is not understood only where `from` does not ask for the selector that it stands in.
   */
  readonly allowed: Part<AllowedNamespaces>;
  /** The kinds listed in `allowedRoutes.kinds`, as `group/kind`, or `kind` in the core group; any makes ResolvedRefs false. */
  readonly routeKinds: readonly string[];
  /** What else makes the listener un-understood: unknown fields, nulls; empty when all of it is understood. */
  readonly faults: readonly string[];
}

/** An entry of `spec.addresses`. */
export interface Address {
  /** `IPAddress` when absent. */
  readonly type: string;
  /** Empty when none is asked for: then there is nothing to copy into a status. */
  readonly value: string;
}

export interface Gateway {
  readonly kind: 'Gateway';
  readonly identity: Identity;
  readonly className: Part<string>;
  /** `spec.infrastructure.parametersRef`. */
  readonly parametersRef: Part<ParametersRef> | undefined;
  readonly addresses: readonly Part<Address>[];
  /** An entry that is no mapping is a fault: it has no name to write a status under. */
  readonly listeners: readonly Part<Listener>[];
}

/** A port of a Service that declares an MCP app protocol, or whose declaration cannot be read. In the order of `spec.ports`. */
export type McpPort = Part<{ readonly port: number }>;

export interface Service {
  readonly kind: 'Service';
  readonly identity: Identity;
  /** Where it is reached; a fault drops the Service. */
  readonly address: Part<ServiceAddress>;
  /** The first path annotation that is present; empty when none is. A fault drops the Service. */
  readonly path: Part<string>;
  /** Every declared MCP port, valid or not: names are counted over these. Empty: a Service of another kind. */
  readonly mcpPorts: readonly McpPort[];
  /** Ports of a headless Service whose `targetPort` differs from `port`. */
  readonly headlessPortWarnings: readonly number[];
}

export type ServiceAddress =
  | { readonly type: 'ExternalName'; readonly name: string }
  /** An IPv4 or IPv6 address in its canonical spelling, without brackets. `loopback` needs leave from a setting. */
  | { readonly type: 'ClusterIP'; readonly ip: string; readonly version: 4 | 6; readonly loopback: boolean }
  /** `<service>.<namespace>.svc.<cluster domain>`. */
  | { readonly type: 'ClusterDNS' };

/** Labels decide selectors, so they are known wholly or not at all. */
export type NamespaceLabels =
  | { readonly known: true; readonly labels: Readonly<Record<string, string>> }
  | { readonly known: false };

export interface Namespace {
  readonly kind: 'Namespace';
  readonly identity: Identity;
  /** `kubernetes.io/metadata.name` is always in there, and never taken from the object. */
  readonly labels: NamespaceLabels;
}

/** What a rule allows. */
export interface RuleResource {
  readonly kind: 'tool' | 'prompt' | 'resource';
  readonly name: { readonly all: true } | { readonly all: false; readonly target: string; readonly item: string };
}

/** Who matches, as the claim that a token must have. */
export interface ClaimMatch {
  readonly claim: string;
  readonly value: string;
}

/** A rule that can be told apart; its matches are alternatives, each understood or not. */
export interface PolicyRule {
  readonly resource: RuleResource;
  readonly matches: readonly Part<ClaimMatch>[];
}

/** An entry of `spec.targetRefs`: `group` and `kind` as written, empty or absent ones included. */
export interface TargetRef {
  readonly name: string;
  readonly group: string | undefined;
  readonly kind: string | undefined;
  /** Not supported on this wire: such a reference is Invalid. */
  readonly sectionName: string | undefined;
}

/** A reference, or why it is not understood; the second with its name when that much can be read: it is reported under it. */
export type TargetRefPart = Part<TargetRef> | (Fault & { readonly ref: NamedRef });

/** What a reference names that has fields which are not known. `namespace` is one: policies do not leave theirs. */
export interface NamedRef extends TargetRef {
  readonly namespace: string | undefined;
}

export interface MCPAuthPolicy {
  readonly kind: 'MCPAuthPolicy';
  readonly identity: Identity;
  readonly targetRefs: readonly TargetRefPart[];
  /** A fault: an unknown field in `spec`. Then no rule of it counts. */
  readonly rules: Part<readonly Part<PolicyRule>[]>;
}

/** The resources by kind. */
export interface ResourceByKind {
  readonly GatewayClass: GatewayClass;
  readonly GatewayParameters: GatewayParameters;
  readonly Gateway: Gateway;
  readonly Service: Service;
  readonly Namespace: Namespace;
  readonly MCPAuthPolicy: MCPAuthPolicy;
}

export type KindName = keyof ResourceByKind;
export type Resource = ResourceByKind[KindName];

/** Where in an object a problem lies: keys and list positions. */
export type Path = readonly (string | number)[];

/**
 * What a decoder has to say about an object. `error`: serving drops something because of it, and `check` refuses it.
 * `warning`: nothing is dropped.
 */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  /** A full sentence with the field, what is wrong, and what to write instead. */
  readonly message: string;
}

/** The outcome of decoding one object. */
export type Decoded<R extends Resource = Resource> =
  | { readonly readable: true; readonly resource: R; readonly problems: readonly Problem[] }
  /** The frame cannot be read: as if absent. `name` and `namespace` are given when they could be read. */
  | {
      readonly readable: false;
      readonly kind: KindName;
      readonly namespace: string | undefined;
      readonly name: string | undefined;
      readonly problems: readonly Problem[];
    };
