import type { Cell } from './html.ts';
import type { GatewayView } from './snapshots-view.ts';

/** A row for each target of a Gateway: its name, and where the gateway calls it. */
export function targetRows(view: GatewayView): readonly (readonly Cell[])[] {
  return resourcesOf(view, 'Target').map(({ name, resource }) => {
    const { host, port, path } = fields(resource);
    const scheme = port === 443 ? 'https' : 'http';
    return [name, `${scheme}://${text(host)}:${text(port)}${text(path) || '/sse'}`];
  });
}

/** A row for each rule: what may be used, by whom, and which policy says so. */
export function ruleRows(view: GatewayView): readonly (readonly Cell[])[] {
  return resourcesOf(view, 'Config').flatMap(({ name, resource }) => {
    const { rules } = fields(resource);
    return (Array.isArray(rules) ? rules : []).map((rule: unknown) => {
      const { key, value, resource: used } = fields(rule);
      const { id, type } = fields(used);
      const what = id === '*' ? `every ${text(type).toLowerCase()}` : `${text(type).toLowerCase()} ${text(id)}`;
      return [what, `${text(key)} = ${text(value)}`, name];
    });
  });
}

function resourcesOf(view: GatewayView, kind: string): GatewayView['types'][number]['resources'] {
  return view.types.filter(({ typeUrl }) => typeUrl.endsWith(`.${kind}`)).flatMap(({ resources }) => resources);
}

/** The members of what was decoded for people; none of what is no object. */
function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
