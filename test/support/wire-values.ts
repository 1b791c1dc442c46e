import type { PolicyConfig, Rule, Target } from '../../src/translate/model.ts';

/** A valid Target, made without the translation; the names are the caller's word. */
export function target(name: string, fields: { host?: string; port?: number; path?: string } = {}): Target {
  const [namespace = ''] = name.split('/');
  return { name, namespace, host: 'tool.svc', port: 80, path: '', ...fields } as Target;
}

export function rule(fields: { claim?: string; value?: string; kind?: Rule['kind']; id?: string } = {}): Rule {
  return { claim: 'sub', value: 'me', kind: 'tool', id: 'default/mcp-tool:convert', ...fields } as Rule;
}

export function config(namespace: string, name: string, ...rules: [Rule, ...Rule[]]): PolicyConfig {
  return { namespace, name, rules } as PolicyConfig;
}
