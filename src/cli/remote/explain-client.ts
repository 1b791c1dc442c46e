import type {
  AccessRequest,
  Answer,
  Grant,
  Place,
  Placed,
  Question,
  Reason,
  ReasonCode,
  TokenSigners,
} from '../../explain/model.ts';
import { askDebug, serverAddress } from './debug-client.ts';
import { DocumentError, Fields, textEntry } from './fields.ts';

/** An answer of a running control plane. */
export interface RemoteAnswer {
  readonly answer: Answer;
  readonly notes: readonly string[];
}

/** Asks a running control plane by `POST /debug/explain`, as `docs/operating.md` describes it. */
export async function askServer(server: string, { gateway, request, claims }: Question): Promise<RemoteAnswer> {
  const body = { gateway, request, claims };
  return askDebug(serverAddress(server), { path: '/debug/explain', body }, (fields) => ({
    answer: decodeAnswer(fields),
    notes: fields.has('notes') ? fields.list('notes', textEntry) : [],
  }));
}

const kinds = ['tool', 'prompt', 'resource'] as const;

/** All codes: the compiler asks for a new one here. */
const codes: Readonly<Record<ReasonCode, ReasonCode>> = {
  'gateway-unknown': 'gateway-unknown',
  'gateway-foreign': 'gateway-foreign',
  'gateway-not-accepted': 'gateway-not-accepted',
  'no-policy': 'no-policy',
  'name-form': 'name-form',
  'target-unknown': 'target-unknown',
  'claim-not-string': 'claim-not-string',
  'other-gateway': 'other-gateway',
  'reference-invalid': 'reference-invalid',
  'claim-value': 'claim-value',
  'claim-missing': 'claim-missing',
  'other-kind': 'other-kind',
  'policy-invalid': 'policy-invalid',
  'policy-partly-invalid': 'policy-partly-invalid',
  'other-name': 'other-name',
  'target-not-served': 'target-not-served',
  'no-rule': 'no-rule',
};

const objectKinds: Readonly<Record<Place['kind'], Place['kind']>> = {
  GatewayClass: 'GatewayClass',
  Gateway: 'Gateway',
  GatewayParameters: 'GatewayParameters',
  Service: 'Service',
  Namespace: 'Namespace',
  MCPAuthPolicy: 'MCPAuthPolicy',
};

function decodeAnswer(fields: Fields): Answer {
  const asked = {
    gateway: fields.text('gateway'),
    request: decodeRequest(fields.optionalObject('request')),
    // Older control planes do not say it.
    signers: decodeSigners(fields.optionalObject('signers')),
  };
  const verdict = fields.word('verdict', ['allowed', 'denied', 'grants']);
  switch (verdict) {
    case 'allowed':
      return { ...asked, verdict, by: decodeGrant(fields.object('by')), remarks: decodeReasons(fields, 'remarks') };
    case 'denied':
      return { ...asked, verdict, reasons: decodeReasons(fields, 'reasons'), omitted: fields.number('omitted') };
    case 'grants':
      return {
        ...asked,
        verdict,
        of: fields.word('of', ['caller', 'anybody']),
        grants: fields.list('grants', (entry, path) => decodeGrant(new Fields(entry, path))),
        // Older control planes list all of them.
        omitted: fields.optionalNumber('omitted') ?? 0,
        targets: fields.list('targets', textEntry),
        remarks: decodeReasons(fields, 'remarks'),
      };
  }
}

function decodeRequest(fields: Fields | undefined): AccessRequest | undefined {
  return fields && { kind: fields.word('kind', kinds), name: fields.text('name') };
}

function decodeSigners(fields: Fields | undefined): TokenSigners | undefined {
  if (fields === undefined) return undefined;
  const providers = fields.list('providers', (entry, path) => {
    const provider = new Fields(entry, path);
    return {
      issuer: provider.text('issuer'),
      audiences: provider.list('audiences', textEntry),
      keyIds: provider.list('keyIds', textEntry),
    };
  });
  return { providers, problem: fields.optionalText('problem') };
}

function decodeGrant(fields: Fields): Placed<Grant> {
  return {
    policy: fields.text('policy'),
    rule: fields.number('rule'),
    match: fields.number('match'),
    claim: fields.text('claim'),
    value: fields.text('value'),
    kind: fields.word('kind', kinds),
    name: fields.text('name'),
    served: fields.flag('served'),
    place: fields.optionalText('place'),
  };
}

function decodeReasons(fields: Fields, name: string): readonly Placed<Reason>[] {
  return fields.list(name, (entry, path) => {
    const reason = new Fields(entry, path);
    return {
      code: reason.word('code', Object.values(codes)),
      at: decodePlace(reason.optionalObject('at')),
      message: reason.text('message'),
      place: reason.optionalText('place'),
    };
  });
}

function decodePlace(fields: Fields | undefined): Place | undefined {
  return (
    fields && {
      kind: fields.word('kind', Object.values(objectKinds)),
      key: fields.text('key'),
      path: fields.list('path', (step, path) => {
        if (typeof step === 'string' || typeof step === 'number') return step;
        throw new DocumentError(`${path} is no step of a path`);
      }),
    }
  );
}
