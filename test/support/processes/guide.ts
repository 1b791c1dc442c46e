/** The guide's gateway configuration, public key, and token that is valid until 2030. */

export const guideConfig = {
  type: 'xds',
  xds_address: 'http://kgateway.kgateway-system.svc.cluster.local:9977',
  metadata: {},
  alt_xds_hostname: 'mcp-gateway.default.svc.cluster.local',
  listener: {
    type: 'sse',
    host: '0.0.0.0',
    port: 8080,
    authn: {
      type: 'jwt',
      issuer: ['me'],
      audience: ['me.com'],
      jwks: { type: 'local', source: { type: 'file', data: '/config/jwks.json' } },
    },
  },
} as const;

export const guideJwk = {
  use: 'sig',
  kty: 'EC',
  kid: 'XhO06x8JjWH1wwkWkyeEUxsooGEWoEdidEpwyd_hmuI',
  crv: 'P-256',
  alg: 'ES256',
  x: 'XZHF8Em5LbpqfgewAalpSEH4Ka2I2xjcxxUt2j6-lCo',
  y: 'g3DFz45A7EOUMgmsNXatrXw1t-PG5xsbkxUs851RxSE',
} as const;

/** Issuer `me`, audience `me.com`, subject `me`. */
export const guideToken: string = [
  'eyJhbGciOiJFUzI1NiIsImtpZCI6IlhoTzA2eDhKaldIMXd3a1dreWVFVXhzb29HRVdvRWRpZEVwd3lkX2htdUkiLCJ0eXAiOiJKV1QifQ',
  'eyJhdWQiOiJtZS5jb20iLCJleHAiOjE5MDA2NTAyOTQsImlhdCI6MTc0MzYyNDc4NywiaXNzIjoibWUiLCJqdGkiOiJlM2MzNjhkYzBmNGUyODdiYzhkYmM2OTIyOTU5ZTA3M2YzMThkNTliYTlhZjdhY2Q0N2ViMWUzZGIyOTZlYTQwIiwibmJmIjoxNzQzNjI0Nzg3LCJzdWIiOiJtZSJ9',
  'IshAKo62yWHwfnt62vR1nfa4SQmpSB-4ceAMXWs1P_rREl2gYj6nJ7HwLM5avv_eyOFbI-3rRZzCMCuNVLAF5w',
].join('.');
