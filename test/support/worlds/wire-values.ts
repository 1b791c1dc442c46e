import type { McpAppProtocol, PolicyConfig, Rule, Target } from '../../../src/translate/model.ts';
import {
  claimKey,
  claimValue,
  host,
  namespaceName,
  objectName,
  port,
  resourceId,
  targetName,
  urlPath,
} from '../../../src/translate/names.ts';

/** A Target by its short name, `<namespace>/<service>`. */
export function target(
  name: string,
  fields: { host?: string; port?: number; path?: string; appProtocol?: McpAppProtocol } = {},
): Target {
  const [namespace = '', service = '', further] = name.split('/');
  return {
    name: valid(targetName(namespace, service, further === undefined ? undefined : Number(further))),
    namespace: valid(namespaceName(namespace)),
    host: valid(host(fields.host ?? 'tool.svc')),
    port: valid(port(fields.port ?? 80)),
    path: valid(urlPath(fields.path ?? '')),
    appProtocol: fields.appProtocol ?? 'kgateway.dev/mcp',
  };
}

/** A rule; by default it allows one tool if `sub` equals `me`. */
export function rule(fields: { claim?: string; value?: string; kind?: Rule['kind']; item?: string } = {}): Rule {
  const name =
    fields.item === '*'
      ? { all: true as const }
      : { all: false as const, target: 'default/mcp-tool', item: fields.item ?? 'convert' };
  return {
    claim: valid(claimKey(fields.claim ?? 'sub')),
    value: valid(claimValue(fields.value ?? 'me')),
    kind: fields.kind ?? 'tool',
    id: valid(resourceId(name)),
  };
}

export function config(namespace: string, name: string, ...rules: [Rule, ...Rule[]]): PolicyConfig {
  return { namespace: valid(namespaceName(namespace)), name: valid(objectName(name)), rules };
}

function valid<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a test asked for a wire value that does not exist');
  return value;
}
