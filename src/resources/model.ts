import type { PublicKey } from '../jwk/public-keys.ts';

export type { PublicKey } from '../jwk/public-keys.ts';

/**
 * The objects that users write, decoded.
 *
 * A decoder keeps every part that stands alone, valid or not: an invalid part is an `Invalid` in the place of its
 * value, so that no consumer can mistake it for an absent one. An object whose frame (apiVersion, kind, metadata, spec)
 * is invalid has no value at all. Positions in files are not part of a resource: moving a line changes nothing.
 */

/** A valid value, or the reason why the part of the object is not understood (`docs/semantics.md`). */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Invalid;

/** An invalid part. `reason` is a sentence for users: the path of the field, the error, and the remedy. */
export interface Invalid {
  readonly ok: false;
  readonly reason: string;
}

/** The part of a Kubernetes ObjectMeta that the program uses. */
export interface ObjectMeta {
  /** Empty for a cluster-scoped kind. */
  readonly namespace: string;
  readonly name: string;
  /** `metadata.generation`; undefined in files. */
  readonly generation: number | undefined;
}

/** `parametersRef` of a GatewayClass or a Gateway. */
export interface ParametersRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Only in a GatewayClass; has no default. */
  readonly namespace: string | undefined;
}

/** A GatewayClass, of any controller. */
export interface GatewayClass {
  readonly kind: 'GatewayClass';
  readonly metadata: ObjectMeta;
  /** Invalid: equals no controller's name, so the class belongs to another controller. */
  readonly controllerName: Parsed<string>;
  readonly parametersRef: Parsed<ParametersRef> | undefined;
}

/** A GatewayParameters object: the `parametersRef` of a Gateway or its class. */
export interface GatewayParameters {
  readonly kind: 'GatewayParameters';
  readonly metadata: ObjectMeta;
  /** Valid only when the spec is exactly `selfManaged`. */
  readonly selfManaged: Parsed<true>;
}

/** `allowedRoutes.namespaces` of a listener (RouteNamespaces of the Gateway API). */
export type RouteNamespaces =
  | { readonly from: 'All' }
  | { readonly from: 'Same' }
  | {
      readonly from: 'Selector';
      /** Undefined selects nothing: the selector is missing, or has an invalid label or expression. */
      readonly selector: LabelSelector | undefined;
      /** The reason why `selector` is undefined. */
      readonly selectorError: string | undefined;
    };

/** Matches when all requirements match; without requirements it matches everything. Sorted, without duplicates. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
}

/** One requirement of a label selector, with the operators of Kubernetes. */
export type LabelRequirement =
  /** The label has one of these values. An entry of `matchLabels` is `In` with one value. */
  | { readonly operator: 'In'; readonly key: string; readonly values: readonly [string, ...string[]] }
  /** The label has none of these values, or is absent. */
  | { readonly operator: 'NotIn'; readonly key: string; readonly values: readonly [string, ...string[]] }
  | { readonly operator: 'Exists'; readonly key: string }
  | { readonly operator: 'DoesNotExist'; readonly key: string };

/**
 * An entry of `spec.listeners`. `name`, `port` and `protocol` are kept one by one, also those of an invalid listener:
 * they decide conflicts and the place of its status.
 */
export interface Listener {
  readonly name: Parsed<string>;
  readonly port: Parsed<number>;
  /** Any string is valid: one that is not `kgateway.dev/mcp` is another protocol. */
  readonly protocol: Parsed<string>;
  /** True if `hostname` is present and not null: an MCP listener does not support it. */
  readonly hasHostname: boolean;
  /** True if `tls` is present and not null: an MCP listener does not support it. */
  readonly hasTls: boolean;
  /**
   * Invalid for an unknown `from` or operator, an unknown field, a null or a wrong type in `allowedRoutes` or below. An
   * invalid label or expression makes it invalid only where `from` does not use the selector.
   */
  readonly namespaces: Parsed<RouteNamespaces>;
  /** `allowedRoutes.kinds` as `group/kind`, or `kind` in the core group; any of them makes ResolvedRefs false. */
  readonly routeKinds: readonly string[];
  /** The other errors that make the listener invalid: unknown fields and nulls. */
  readonly errors: readonly string[];
}

/** An entry of `spec.addresses`. */
export interface GatewayAddress {
  /** Default: `IPAddress`. */
  readonly type: string;
  /** Empty when absent: there is nothing to copy into the status. */
  readonly value: string;
}

/** A Gateway, of any class. */
export interface Gateway {
  readonly kind: 'Gateway';
  readonly metadata: ObjectMeta;
  /** The annotation `kgateway.dev/service-account`: whose nodes these may be. Undefined without it. */
  readonly serviceAccounts: Parsed<readonly string[]> | undefined;
  readonly className: Parsed<string>;
  /** `spec.infrastructure.parametersRef`. */
  readonly parametersRef: Parsed<ParametersRef> | undefined;
  readonly addresses: readonly Parsed<GatewayAddress>[];
  /** An entry that is not a mapping is invalid: it has no name to write a status under. */
  readonly listeners: readonly Parsed<Listener>[];
}

/** The values of `appProtocol` that make a port an MCP target; compared exactly. */
export type McpAppProtocol =
  | 'kgateway.dev/mcp'
  | 'kgateway.dev/mcp-sse'
  | 'agentgateway.dev/mcp'
  | 'agentgateway.dev/mcp-sse';

/** A port of a Service that declares an MCP app protocol, or whose declaration is invalid. */
export type McpPort = Parsed<{ readonly port: number; readonly appProtocol: McpAppProtocol }>;

/** A Service; an MCP server when it has MCP ports. */
export interface Service {
  readonly kind: 'Service';
  readonly metadata: ObjectMeta;
  /** Invalid drops the Service. */
  readonly address: Parsed<ServiceAddress>;
  /** The first path annotation that is present; empty without one. Invalid drops the Service. */
  readonly path: Parsed<string>;
  /**
   * Every declared MCP port, valid or not, in the order of `spec.ports`: target names are counted over these. Empty for
   * a Service that is not an MCP server.
   */
  readonly mcpPorts: readonly McpPort[];
  /** Ports of a headless Service whose `targetPort` differs from `port`. */
  readonly headlessPortWarnings: readonly number[];
  /** The warning about an annotation that was meant for this program and has no effect. */
  readonly annotationWarning: string | undefined;
  /** The first 16 TCP ports that declare no MCP app protocol: for explanations only, no target depends on them. */
  readonly otherPorts: readonly OtherPort[];
}

/** A port of a Service that is no MCP target. */
export interface OtherPort {
  /** Its index in `spec.ports`. Its number is left out, so that a change of it is none of the resource. */
  readonly position: number;
  readonly appProtocol: string | undefined;
  /** True if decoding warned of it: a hint about the same field would repeat that. */
  readonly reported: boolean;
}

/** The address of a Service, before the translation makes a host of it. */
export type ServiceAddress =
  | { readonly type: 'ExternalName'; readonly name: string }
  /** In canonical spelling, without brackets. A loopback address is served only when a setting allows it. */
  | { readonly type: 'ClusterIP'; readonly ip: string; readonly version: 4 | 6; readonly loopback: boolean }
  /** `<service>.<namespace>.svc.<cluster domain>`. */
  | { readonly type: 'ClusterDNS' };

/**
 * Either all labels or none: a missing label could make a selector match. Entries, by key: `constructor` is a valid key, and
 * must be found only where a user set it, also in a copy that another process made.
 */
export type NamespaceLabels =
  | { readonly known: true; readonly labels: readonly (readonly [key: string, value: string])[] }
  | { readonly known: false };

/** A Namespace, for its labels. */
export interface Namespace {
  readonly kind: 'Namespace';
  readonly metadata: ObjectMeta;
  /** Always contains `kubernetes.io/metadata.name`, which is never taken from the object. */
  readonly labels: NamespaceLabels;
}

/** `resource` of a rule. */
export interface RuleResource {
  readonly kind: 'tool' | 'prompt' | 'resource';
  readonly name: { readonly all: true } | { readonly all: false; readonly target: string; readonly item: string };
}

/** A match, as the claim that a token must have. */
export interface ClaimMatch {
  readonly claim: string;
  readonly value: string;
}

/** A rule whose resource is valid. Its matches are alternatives, each valid or not. */
export interface PolicyRule {
  readonly resource: RuleResource;
  readonly matches: readonly Parsed<ClaimMatch>[];
}

/** An entry of `spec.targetRefs`; `group` and `kind` as written, also when empty or absent. */
export interface TargetRef {
  readonly name: string;
  readonly group: string | undefined;
  readonly kind: string | undefined;
  /** A section is not supported on this wire: the status of such a reference is Invalid. */
  readonly sectionName: string | undefined;
}

/**
 * A reference, or the reason why it is invalid, with the reference that its status is written under if there is one.
 */
export type ParsedTargetRef = Parsed<TargetRef> | (Invalid & { readonly ref: WrittenTargetRef });

/** A reference with an unknown field. `namespace` is one: a policy references Gateways of its own namespace only. */
export interface WrittenTargetRef extends TargetRef {
  readonly namespace: string | undefined;
}

/** `jwks` of a provider: the keys, or where they are published. */
export type JwksSource =
  /** The keys that can be used, by `kid`, maybe none; and a sentence about each other one. */
  | { readonly kind: 'inline'; readonly keys: readonly PublicKey[]; readonly dropped: readonly string[] }
  | { readonly kind: 'uri'; readonly uri: string };

/** An entry of `spec.jwt.providers`: an issuer of tokens. */
export interface PolicyJwtProvider {
  readonly issuer: string;
  /** Empty: any audience. */
  readonly audiences: readonly string[];
  readonly jwks: JwksSource;
}

/** `spec.jwt.resourceMetadata`: where clients get tokens (RFC 9728). */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopesSupported: readonly string[];
}

/** `spec.jwt`: who may sign tokens for the Gateways of the policy. */
export interface PolicyJwt {
  readonly providers: readonly Parsed<PolicyJwtProvider>[];
  /** Valid only beside a single provider. */
  readonly resourceMetadata: Parsed<ResourceMetadata> | undefined;
}

/** What a `jwks.uri` answered. No entry: it did not answer yet. */
export type FetchedKeys =
  /** The keys of the last answer that was understood; `failure` is why a later one was not, as the end of a sentence. */
  | {
      readonly kind: 'keys';
      readonly keys: readonly PublicKey[];
      /** The other keys of the answer, each as the end of the sentence "it has …". */
      readonly dropped: readonly string[];
      readonly failure: string | undefined;
    }
  | { readonly kind: 'failed'; readonly failure: string };

/** A policy: rules that grant access, and the Gateways that they are attached to. */
export interface MCPAuthPolicy {
  readonly kind: 'MCPAuthPolicy';
  readonly metadata: ObjectMeta;
  /** `metadata.creationTimestamp` as an API server writes it, in UTC to the second; undefined in files. */
  readonly created: string | undefined;
  readonly targetRefs: readonly ParsedTargetRef[];
  /** Invalid when `spec` has an unknown field, or with `jwt` when it is no list: then no rule counts. */
  readonly rules: Parsed<readonly Parsed<PolicyRule>[]>;
  /** Undefined: the policy says nothing about signers. Invalid too when `spec` has an unknown field. */
  readonly jwt: Parsed<PolicyJwt> | undefined;
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

/** The name of a kind that the program reads. */
export type KindName = keyof ResourceByKind;
/** A decoded object of any kind. */
export type Resource = ResourceByKind[KindName];

/**
 * The labels of a namespace without a Namespace object. `named`: just `kubernetes.io/metadata.name`. `unknown`: no
 * selector matches.
 */
export type UnlistedNamespaces = 'named' | 'unknown';

/** The versions of the Gateway API's CRDs (annotation `gateway.networking.k8s.io/bundle-version`); none in files. */
export type BundleVersions =
  /** By the name of the CRD, sorted; undefined for a CRD without a version. */
  | { readonly known: true; readonly versions: readonly (readonly [crd: string, version: string | undefined])[] }
  | { readonly known: false; readonly reason: string };

/** The path of a field in an object: keys and list positions. */
export type Path = readonly (string | number)[];

/** A problem that a decoder found in an object. `error`: serving drops something, and `check` fails. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  /** A sentence with the field, the error and the remedy. */
  readonly message: string;
}

/** The result of decoding one object. */
export type Decoded<R extends Resource = Resource> =
  | { readonly readable: true; readonly resource: R; readonly problems: readonly Problem[] }
  /** The frame is invalid: the object counts as absent. `name` and `namespace` are given when they are valid. */
  | {
      readonly readable: false;
      readonly kind: KindName;
      readonly namespace: string | undefined;
      readonly name: string | undefined;
      readonly problems: readonly Problem[];
    };
