import { readFile } from 'node:fs/promises';
import { type DecodeResource, loadResourceDecoder } from '../../debug/debug.ts';
import type { EncodedResource, View } from '../../snapshot/model.ts';
import type { Translation } from '../../translate/model.ts';
import { discoveryResponse } from '../../wire/wire.ts';
import type { OfflineWorld } from './offline.ts';

/** What gateways are sent, and how objects are judged, part by part: all of it may be larger than memory. */
export interface TranslationDocument {
  /** Each Gateway of ours, by key. */
  gateways(): Generator<TranslatedGateway>;
  readonly statuses: TranslatedStatuses;
  /** A DiscoveryResponse per Gateway and type, each after its length as a varint. */
  responses(): Generator<Uint8Array>;
}

interface TranslatedGateway {
  readonly gateway: string;
  /** In push order. */
  readonly types: readonly TranslatedType[];
}

interface TranslatedType {
  readonly typeUrl: string;
  readonly dialect: string | undefined;
  readonly version: string;
  /** In bytewise order of the names. */
  readonly resources: readonly { readonly name: string; readonly version: string; readonly resource: unknown }[];
}

/** By name each. */
interface TranslatedStatuses {
  readonly gatewayClasses: readonly unknown[];
  readonly gateways: readonly unknown[];
  readonly policies: readonly unknown[];
  readonly policyNotices: readonly unknown[];
  readonly services: readonly unknown[];
}

/** The names of the dialects that gateways are served in, in push order. */
export function dialectsOf({ snapshots }: OfflineWorld): readonly string[] {
  return [...new Set(snapshots.types.flatMap(({ dialect }) => dialect ?? []))];
}

/** What of the translation is shown. */
export interface DocumentFilter {
  /** `<namespace>/<name>`: this Gateway only. Statuses are those of all objects. */
  readonly gateway: string | undefined;
  /** The types of this dialect only. */
  readonly dialect: string | undefined;
}

/** Shows what is sent. The order depends on nothing but names. */
export async function translationDocument(world: OfflineWorld, filter: DocumentFilter): Promise<TranslationDocument> {
  const decode = await loadDecoder();
  const keys = filter.gateway === undefined ? world.explainer.gateways() : [filter.gateway];
  const wanted = world.snapshots.types.filter(
    ({ dialect }) => filter.dialect === undefined || dialect === filter.dialect,
  );
  for (const { typeUrl } of wanted) world.snapshots.request(typeUrl);
  const viewsOf = (gateway: string): readonly View[] =>
    [...world.snapshots.of(gateway).views.values()].filter(({ type }) => wanted.includes(type));
  return {
    *gateways() {
      for (const gateway of keys) yield { gateway, types: viewsOf(gateway).map((view) => typeOf(view, decode)) };
    },
    statuses: statusesOf(world.translation),
    *responses() {
      for (const gateway of keys) {
        for (const view of viewsOf(gateway)) {
          const response = discoveryResponse(view.type.typeUrl, view.version(), view.resources());
          yield Buffer.concat([varint(response.length), response]);
        }
      }
    },
  };
}

function typeOf(view: View, decode: DecodeResource): TranslatedType {
  const { typeUrl, dialect } = view.type;
  const resources = [...view.resources()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((resource) => ({ name: resource.name, version: resource.version, resource: decode(resource) }));
  return { typeUrl, dialect, version: view.version(), resources };
}

/** Decodes each resource once: Gateways share most of them. */
async function loadDecoder(): Promise<DecodeResource> {
  const decode = await loadResourceDecoder(await readFile(new URL('../../gen/descriptors.binpb', import.meta.url)));
  const decoded = new WeakMap<EncodedResource, { readonly value: unknown }>();
  return (resource) => {
    const known = decoded.get(resource) ?? { value: decode(resource) };
    decoded.set(resource, known);
    return known.value;
  };
}

function statusesOf(translation: Translation): TranslatedStatuses {
  return {
    gatewayClasses: byKey(translation.gatewayClassStatuses),
    gateways: byKey(translation.gatewayStatuses),
    policies: byKey(translation.policyStatuses),
    policyNotices: byKey(translation.policyNotices),
    services: byKey(translation.serviceNotices),
  };
}

function byKey(collection: { entries(): Iterable<readonly [string, unknown]> }): readonly unknown[] {
  return [...collection.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** A number in the variable-length encoding of protobuf. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
