/** The numbers of the fields of a request that are read, in one variant; the others are passed over. */
export interface RequestFields {
  readonly node: number;
  readonly typeUrl: number;
  readonly nonce: number;
  readonly errorDetail: number;
  /** The names that the node wants; one field each. */
  readonly wanted: number;
  /** The names that it does not want any more. */
  readonly unwanted?: number;
  /** What it holds from an earlier stream: an entry for each name. */
  readonly versions?: number;
}

/** Of a DeltaDiscoveryRequest. */
export const deltaFields: RequestFields = {
  node: 1,
  typeUrl: 2,
  wanted: 3,
  unwanted: 4,
  versions: 5,
  nonce: 6,
  errorDetail: 7,
};

/** Of a DiscoveryRequest. */
export const stateOfTheWorldFields: RequestFields = { node: 2, wanted: 3, typeUrl: 4, nonce: 5, errorDetail: 6 };
