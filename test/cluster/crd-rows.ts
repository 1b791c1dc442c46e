import { jwtRows } from './crd-jwt-rows.ts';
import { type CrdRow, row, rows, type Verdict } from './crd-row.ts';

const MATCH = '{type: JWT, jwt: {claim: sub, value: me}}';
const RULE = `{matches: [${MATCH}], resource: {kind: tool, name: "a/b:c"}}`;
const REF = '{name: g}';

type Line = readonly [title: string, yaml: string];

const spec = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] => rows(verdict, 'MCPAuthPolicy', 'HERE', lines);
const ref = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  rows(verdict, 'MCPAuthPolicy', `{targetRefs: [HERE], rules: [${RULE}]}`, lines);
const rule = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  rows(verdict, 'MCPAuthPolicy', `{targetRefs: [${REF}], rules: [HERE]}`, lines);
const match = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  rule(
    verdict,
    ...lines.map(([title, yaml]) => [title, `{matches: [${yaml}], resource: {kind: tool, name: "*"}}`] as const),
  );
const claim = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  match(verdict, ...lines.map(([title, yaml]) => [`jwt with ${title}`, `{type: JWT, jwt: ${yaml}}`] as const));
const account = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  match(
    verdict,
    ...lines.map(
      ([title, yaml]) => [`serviceAccount with ${title}`, `{type: ServiceAccount, serviceAccount: ${yaml}}`] as const,
    ),
  );
const resource = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  rule(
    verdict,
    ...lines.map(([title, yaml]) => [`resource with ${title}`, `{matches: [${MATCH}], resource: ${yaml}}`] as const),
  );
const parameters = (verdict: Verdict, ...lines: Line[]): readonly CrdRow[] =>
  rows(verdict, 'GatewayParameters', 'HERE', lines);

const times = (count: number, yaml: string): string => Array(count).fill(yaml).join(', ');
const label = (length: number): string => 'a'.repeat(length);
/** A subdomain of that many characters: labels of 63. */
const subdomain = (length: number): string => `${label(63)}.${label(63)}.${label(63)}.${label(length - 192)}`;

const policies: readonly CrdRow[] = [
  ...spec(
    'taken',
    ['no rules', `{targetRefs: [${REF}]}`],
    ['an empty list of rules', `{targetRefs: [${REF}], rules: []}`],
    ['16 targetRefs', `{targetRefs: [${times(16, REF)}], rules: [${RULE}]}`],
    ['256 rules', `{targetRefs: [${REF}], rules: [${times(256, RULE)}]}`],
    [
      'as many matches in as many rules as the limits allow',
      `{targetRefs: [${REF}], rules: [${times(256, `{matches: [${times(64, MATCH)}], resource: {kind: tool, name: "*"}}`)}]}`,
    ],
  ),
  ...spec(
    'refused',
    ['an empty spec', '{}'],
    ['a spec that is a list', '[]'],
    ['a spec that is a string', 'all'],
    ['no targetRefs', `{rules: [${RULE}]}`],
    ['an empty list of targetRefs', `{targetRefs: [], rules: [${RULE}]}`],
    ['targetRefs that are null', `{targetRefs: null, rules: [${RULE}]}`],
    ['targetRefs that are one mapping', `{targetRefs: ${REF}, rules: [${RULE}]}`],
    ['17 targetRefs', `{targetRefs: [${times(17, REF)}], rules: [${RULE}]}`],
    ['rules that are one mapping', `{targetRefs: [${REF}], rules: ${RULE}}`],
    ['rules that are a string', `{targetRefs: [${REF}], rules: all}`],
    ['257 rules', `{targetRefs: [${REF}], rules: [${times(257, RULE)}]}`],
  ),
  ...spec(
    'refused by the decoder alone',
    ['an unknown field in spec', `{targetRefs: [${REF}], rules: [${RULE}], action: Deny}`],
    ['rules that are null', `{targetRefs: [${REF}], rules: null}`],
  ),
  ...ref(
    'taken',
    ['a targetRef with a name alone', '{name: g}'],
    ['a targetRef with all it needs', '{group: gateway.networking.k8s.io, kind: Gateway, name: g}'],
    ['a targetRef with an empty group and kind', '{group: "", kind: "", name: g}'],
    ['a targetRef of another group and kind', '{group: apps, kind: Deployment, name: g}'],
    ['a targetRef with a kind of 63 characters', `{kind: ${label(63)}, name: g}`],
    ['a targetRef with a dash in the kind', '{kind: A-1, name: g}'],
    ['a targetRef with a group of 253 characters', `{group: ${subdomain(253)}, name: g}`],
    ['a targetRef with a name of 253 characters', `{name: ${subdomain(253)}}`],
    ['a targetRef with a name of one label of 64 characters', `{name: ${label(64)}}`],
    ['a targetRef with digits for a name', '{name: "0"}'],
    ['a targetRef with a sectionName', '{name: g, sectionName: http}'],
    ['a targetRef with a sectionName of 253 characters', `{name: g, sectionName: ${subdomain(253)}}`],
  ),
  ...ref(
    'refused',
    ['a targetRef that is a string', 'g'],
    ['a targetRef that is null', 'null'],
    ['a targetRef that is a list', '[]'],
    ['a targetRef without a name', '{kind: Gateway}'],
    ['a targetRef with an empty name', '{name: ""}'],
    ['a targetRef with a name that is null', '{name: null}'],
    ['a targetRef with a name that is a number', '{name: 5}'],
    ['a targetRef with an upper-case name', '{name: G}'],
    ['a targetRef with a dash at the end of the name', '{name: g-}'],
    ['a targetRef with an empty label in the name', '{name: g..h}'],
    ['a targetRef with a line break after the name', '{name: "g\\n"}'],
    ['a targetRef with a name of 254 characters', `{name: ${subdomain(254)}}`],
    ['a targetRef with a version in the group', '{group: gateway.networking.k8s.io/v1, name: g}'],
    ['a targetRef with an upper-case group', '{group: Apps, name: g}'],
    ['a targetRef with a group of 254 characters', `{group: ${subdomain(254)}, name: g}`],
    ['a targetRef with a group that is a boolean', '{group: true, name: g}'],
    ['a targetRef with a kind that begins with a digit', '{kind: 1A, name: g}'],
    ['a targetRef with a dash at the end of the kind', '{kind: A-, name: g}'],
    ['a targetRef with a dot in the kind', '{kind: A.b, name: g}'],
    ['a targetRef with a kind of 64 characters', `{kind: ${label(64)}, name: g}`],
    ['a targetRef with a kind that is a number', '{kind: 5, name: g}'],
    ['a targetRef with an empty sectionName', '{name: g, sectionName: ""}'],
    ['a targetRef with an upper-case sectionName', '{name: g, sectionName: HTTP}'],
    ['a targetRef with a sectionName of 254 characters', `{name: g, sectionName: ${subdomain(254)}}`],
    ['a targetRef with a sectionName that is a list', '{name: g, sectionName: [http]}'],
    ['a targetRef with a namespace', '{name: g, namespace: default}'],
    ['a targetRef with an empty namespace', '{name: g, namespace: ""}'],
    ['a targetRef with a namespace that is a number', '{name: g, namespace: 5}'],
  ),
  ...ref(
    'refused by the decoder alone',
    ['a targetRef with an unknown field', '{name: g, sectionname: http}'],
    ['a targetRef with a group that is null', '{group: null, name: g}'],
    ['a targetRef with a sectionName that is null', '{name: g, sectionName: null}'],
    ['a targetRef with a namespace that is null', '{name: g, namespace: null}'],
  ),
  ...rule('taken', ['64 matches', `{matches: [${times(64, MATCH)}], resource: {kind: tool, name: "*"}}`]),
  ...rule(
    'refused',
    ['a rule that is null', 'null'],
    ['a rule that is a list', '[]'],
    ['a rule without matches', '{resource: {kind: tool, name: "*"}}'],
    ['a rule with empty matches', '{matches: [], resource: {kind: tool, name: "*"}}'],
    ['a rule with matches that are null', '{matches: null, resource: {kind: tool, name: "*"}}'],
    ['a rule with matches that are one mapping', `{matches: ${MATCH}, resource: {kind: tool, name: "*"}}`],
    ['a rule with 65 matches', `{matches: [${times(65, MATCH)}], resource: {kind: tool, name: "*"}}`],
    ['a rule without a resource', `{matches: [${MATCH}]}`],
    ['a rule with a resource that is null', `{matches: [${MATCH}], resource: null}`],
    ['a rule with a resource that is a string', `{matches: [${MATCH}], resource: tool}`],
  ),
  ...rule('refused by the decoder alone', [
    'a rule with an unknown field',
    `{matches: [${MATCH}], resource: {kind: tool, name: "*"}, action: Deny}`,
  ]),
  ...match(
    'taken',
    ['the type jwt', '{type: jwt, jwt: {claim: sub, value: me}}'],
    ['the type jWt', '{type: jWt, jwt: {claim: sub, value: me}}'],
    ['the type SERVICEACCOUNT', '{type: SERVICEACCOUNT, serviceAccount: {name: robot}}'],
  ),
  ...match(
    'refused',
    ['a match that is null', 'null'],
    ['a match that is a string', 'JWT'],
    ['an empty match', '{}'],
    ['no type', '{jwt: {claim: sub, value: me}}'],
    ['an empty type', '{type: "", jwt: {claim: sub, value: me}}'],
    ['an unknown type', '{type: OIDC, jwt: {claim: sub, value: me}}'],
    ['a type with a space', '{type: "JWT ", jwt: {claim: sub, value: me}}'],
    ['a type that is null', '{type: null, jwt: {claim: sub, value: me}}'],
    ['a type that is a number', '{type: 5, jwt: {claim: sub, value: me}}'],
    ['an endless type', `{type: ${label(5000)}, jwt: {claim: sub, value: me}}`],
    ['the type JWT without jwt', '{type: JWT}'],
    ['the type JWT with jwt that is null', '{type: JWT, jwt: null}'],
    ['the type JWT with jwt that is a list', '{type: JWT, jwt: []}'],
    ['the type JWT with serviceAccount', '{type: JWT, serviceAccount: {name: robot}}'],
    ['the type jwt with both', '{type: jwt, jwt: {claim: sub, value: me}, serviceAccount: {name: robot}}'],
    ['the type ServiceAccount without serviceAccount', '{type: ServiceAccount}'],
    ['the type ServiceAccount with jwt', '{type: ServiceAccount, jwt: {claim: sub, value: me}}'],
    [
      'the type serviceaccount with both',
      '{type: serviceaccount, jwt: {claim: sub, value: me}, serviceAccount: {name: r}}',
    ],
  ),
  ...match(
    'refused by the decoder alone',
    ['a match with an unknown field', '{type: JWT, jwt: {claim: sub, value: me}, not: true}'],
    [
      'the type JWT with serviceAccount that is null',
      '{type: JWT, jwt: {claim: sub, value: me}, serviceAccount: null}',
    ],
  ),
  ...claim(
    'taken',
    ['a claim and a value at their limits', `{claim: ${'€'.repeat(253)}, value: "${'😀'.repeat(1024)}"}`],
    ['a claim of one character', '{claim: s, value: m}'],
    ['spaces and signs', '{claim: "https://example.com/role", value: " a b\u00a0c\u2028 "}'],
    ['the character after the last control character', '{claim: "a\u00a0", value: "\u00a0"}'],
    ['a number in quotes', '{claim: sub, value: "5"}'],
    ['a star', '{claim: sub, value: "*"}'],
  ),
  ...claim(
    'refused',
    ['nothing', '{}'],
    ['no claim', '{value: me}'],
    ['no value', '{claim: sub}'],
    ['an empty claim', '{claim: "", value: me}'],
    ['an empty value', '{claim: sub, value: ""}'],
    ['a claim of 254 characters', `{claim: ${'€'.repeat(254)}, value: me}`],
    ['a value of 1025 characters', `{claim: sub, value: "${'😀'.repeat(1025)}"}`],
    ['a value that is a number', '{claim: sub, value: 5}'],
    ['a value that is a boolean', '{claim: sub, value: true}'],
    ['a value that is a list', '{claim: sub, value: [me]}'],
    ['a value that is null', '{claim: sub, value: null}'],
    ['a claim that is null', '{claim: null, value: me}'],
    ['a claim that is a mapping', '{claim: {a: b}, value: me}'],
    ['NUL in the claim', '{claim: "su\\0b", value: me}'],
    ['a line break at the end of the claim', '{claim: "sub\\n", value: me}'],
    ['a line break at the end of the value', '{claim: sub, value: "me\\n"}'],
    ['a tab in the value', '{claim: sub, value: "m\\te"}'],
    ['the last C0 control character in the value', '{claim: sub, value: "me\\x1f"}'],
    ['DEL in the value', '{claim: sub, value: "me\\x7f"}'],
    ['the first C1 control character in the value', '{claim: sub, value: "me\\x80"}'],
    ['the last C1 control character in the value', '{claim: sub, value: "me\\x9f"}'],
  ),
  ...claim(
    'refused by the decoder alone',
    ['an unknown field', '{claim: sub, value: me, values: [you]}'],
    ['half a character', '{claim: sub, value: "me\\ud800"}'],
  ),
  ...account(
    'taken',
    ['a name', '{name: robot}'],
    ['a dotted name', '{name: a.robot, namespace: there}'],
    ['a name of 253 characters and a namespace of 63', `{name: ${subdomain(253)}, namespace: ${label(63)}}`],
  ),
  ...account(
    'refused',
    ['nothing', '{}'],
    ['a namespace alone', '{namespace: there}'],
    ['an empty name', '{name: ""}'],
    ['an upper-case name', '{name: Robot}'],
    ['a colon in the name', '{name: "there:robot"}'],
    ['a name that is a number', '{name: 5}'],
    ['a name of 254 characters', `{name: ${subdomain(254)}}`],
    ['an empty namespace', '{name: robot, namespace: ""}'],
    ['a dotted namespace', '{name: robot, namespace: a.b}'],
    ['a namespace of 64 characters', `{name: robot, namespace: ${label(64)}}`],
    ['a namespace that is a number', '{name: robot, namespace: 5}'],
  ),
  ...account(
    'refused by the decoder alone',
    ['an unknown field', '{name: robot, namespce: there}'],
    ['a namespace that is null', '{name: robot, namespace: null}'],
  ),
  ...resource(
    'taken',
    ['the kind Tool', '{kind: Tool, name: "*"}'],
    ['the kind PROMPT', '{kind: PROMPT, name: "a/b:c"}'],
    ['the kind resource', '{kind: resource, name: "a/b/80:mcp://x:1"}'],
    ['a star as the name of a tool', '{kind: tool, name: "a/b:*"}'],
    ['a space and a sign in the name', '{kind: tool, name: "what ever:sóme tool"}'],
    ['a name of 1024 characters', `{kind: tool, name: "a:${'😀'.repeat(1022)}"}`],
  ),
  ...resource(
    'refused',
    ['nothing', '{}'],
    ['no kind', '{name: "*"}'],
    ['an empty kind', '{kind: "", name: "*"}'],
    ['an unknown kind', '{kind: toolbox, name: "*"}'],
    ['a star for a kind', '{kind: "*", name: "*"}'],
    ['a kind that is a list', '{kind: [tool], name: "*"}'],
    ['no name', '{kind: tool}'],
    ['an empty name', '{kind: tool, name: ""}'],
    ['a name that is null', '{kind: tool, name: null}'],
    ['a name that is a number', '{kind: tool, name: 5}'],
    ['no colon in the name', '{kind: tool, name: convert}'],
    ['no target in the name', '{kind: tool, name: ":convert"}'],
    ['nothing after the colon', '{kind: tool, name: "a/b:"}'],
    ['a star in the target', '{kind: tool, name: "a/*:convert"}'],
    ['a star for the target', '{kind: tool, name: "*:convert"}'],
    ['two stars', '{kind: tool, name: "**"}'],
    ['a star and a space', '{kind: tool, name: "* "}'],
    ['a star and a line break', '{kind: tool, name: "*\\n"}'],
    ['a control character in the target', '{kind: tool, name: "a\\x07:b"}'],
    ['a line break after the colon', '{kind: tool, name: "a/b:\\n"}'],
    ['a C1 control character in the name', '{kind: tool, name: "a/b:c\\x85"}'],
    ['a name of 1025 characters', `{kind: tool, name: "a:${'😀'.repeat(1023)}"}`],
  ),
  ...resource(
    'refused by the decoder alone',
    ['an unknown field', '{kind: tool, name: "*", except: x}'],
    ['half a character', '{kind: tool, name: "a/b:\\udc00"}'],
  ),
];

const gatewayParameters: readonly CrdRow[] = [
  ...parameters(
    'taken',
    ['selfManaged', '{selfManaged: {}}'],
    ['fields inside selfManaged', '{selfManaged: {anything: {may: [stand, 5, null]}}}'],
  ),
  ...parameters(
    'refused',
    ['parameters with an empty spec', '{}'],
    ['parameters with a spec that is a string', 'selfManaged'],
    ['parameters with a spec that is a list', '[]'],
    ['selfManaged that is null', '{selfManaged: null}'],
    ['selfManaged that is true', '{selfManaged: true}'],
    ['selfManaged that is a list', '{selfManaged: []}'],
    ['selfManaged that is a string', '{selfManaged: "{}"}'],
    ['kube beside selfManaged', '{kube: {}, selfManaged: {}}'],
    ['kube that is true', '{kube: true}'],
    ['kube that is a list', '{kube: []}'],
    ['kube that is null', '{kube: null}'],
    ['an unknown field alone', '{selfmanaged: {}}'],
  ),
  ...parameters(
    'refused by the decoder alone',
    ['kube, which is for another controller', '{kube: {deployment: {replicas: 2}}}'],
    ['kube that is null beside selfManaged', '{selfManaged: {}, kube: null}'],
    ['an unknown field beside selfManaged', '{selfManaged: {}, self: {}}'],
  ),
];

const good = { targetRefs: [{ name: 'g' }] };

const frames: readonly CrdRow[] = [
  row('refused', 'MCPAuthPolicy', 'no spec', {}),
  row('refused', 'GatewayParameters', 'parameters without a spec', {}),
  row('refused', 'MCPAuthPolicy', 'a spec that is null', { spec: null }),
  row('taken', 'MCPAuthPolicy', 'a name with dots', {
    metadata: { name: 'a.b-c.0', namespace: 'default' },
    spec: good,
  }),
  row('taken', 'MCPAuthPolicy', 'a name of 253 characters', {
    metadata: { name: subdomain(253), namespace: 'default' },
    spec: good,
  }),
  row('refused', 'MCPAuthPolicy', 'a name of 254 characters', {
    metadata: { name: subdomain(254), namespace: 'default' },
    spec: good,
  }),
  row('refused', 'MCPAuthPolicy', 'an upper-case name', { metadata: { name: 'It', namespace: 'default' }, spec: good }),
  row('refused', 'MCPAuthPolicy', 'a label with a space', {
    metadata: { name: 'it', namespace: 'default', labels: { a: 'b c' } },
    spec: good,
  }),
  row('refused', 'MCPAuthPolicy', 'a label that is a number', {
    metadata: { name: 'it', namespace: 'default', labels: { a: 5 } },
    spec: good,
  }),
];

/** Each field and each limit, on both sides of its edge. */
export const crdRows: readonly CrdRow[] = [...policies, ...jwtRows, ...gatewayParameters, ...frames];
