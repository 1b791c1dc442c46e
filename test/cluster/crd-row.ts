import { parse } from 'yaml';
import type { Manifest } from '../support/worlds/translated-world.ts';

/** One object, and what becomes of it at the two doors: our strict decoders and the API server with our CRDs. */
export interface CrdRow {
  /** Continues "<verdict> …". */
  readonly title: string;
  readonly object: Manifest;
  readonly verdict: Verdict;
}

/**
 * The doors agree, but for what an API server cannot see: it drops unknown fields and nulls, and reads half a character
 * as U+FFFD, before anything of ours is asked. And it takes what is for another controller, and any text for keys.
 */
export type Verdict = 'taken' | 'refused' | 'refused by the decoder alone' | 'refused for its keys by the decoder';

type Kind = 'MCPAuthPolicy' | 'GatewayParameters';

/** A title, and YAML. */
type Line = readonly [title: string, yaml: string];

/** Rows whose YAML is put into the place of `HERE` in the YAML of a spec. */
export function rows(verdict: Verdict, kind: Kind, spec: string, lines: readonly Line[]): readonly CrdRow[] {
  return lines.map(([title, yaml]) => row(verdict, kind, title, { spec: parse(spec.replace('HERE', () => yaml)) }));
}

/** A row of an object that has these fields. */
export function row(verdict: Verdict, kind: Kind, title: string, fields: Readonly<Record<string, unknown>>): CrdRow {
  const metadata = { name: 'it', namespace: 'default' };
  return { title, verdict, object: { apiVersion: 'gateway.kgateway.dev/v1alpha1', kind, metadata, ...fields } };
}
