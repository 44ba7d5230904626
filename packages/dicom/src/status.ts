/** What a DIMSE status means (PS3.7 annex C and the tables of PS3.4), and whether trying again may help. */

export type DimseService = 'C-ECHO' | 'C-FIND' | 'C-MOVE' | 'C-STORE';
type StatusCategory = 'success' | 'warning' | 'failure' | 'pending' | 'cancel';

interface StatusDescription {
  readonly category: StatusCategory;
  readonly meaning: string;
  /** A failure that may pass by itself: the same request may succeed later. */
  readonly transient: boolean;
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly meaning: string;
  readonly transient?: true;
}

const one = (code: number, meaning: string): Range => ({ first: code, last: code, meaning });

/** PS3.7 9.1.1.1.9, 9.1.2.1.5, 9.1.5.1.4 and annex C: of every service. */
const GENERAL: readonly Range[] = [
  one(0x0000, 'success'),
  { ...one(0x0110, 'processing failure'), transient: true },
  one(0x0105, 'no such attribute'),
  one(0x0106, 'invalid attribute value'),
  one(0x0107, 'attribute list error'),
  one(0x0111, 'duplicate SOP instance'),
  one(0x0112, 'no such SOP instance'),
  one(0x0113, 'no such event type'),
  one(0x0114, 'no such argument'),
  one(0x0115, 'invalid argument value'),
  one(0x0116, 'attribute value out of range'),
  one(0x0117, 'invalid SOP instance UID'),
  one(0x0118, 'no such SOP class'),
  one(0x0119, 'class-instance conflict'),
  one(0x0120, 'missing attribute'),
  one(0x0121, 'missing attribute value'),
  one(0x0122, 'SOP class not supported'),
  one(0x0123, 'no such action type'),
  one(0x0124, 'not authorized'),
  one(0x0210, 'duplicate invocation'),
  one(0x0211, 'unrecognized operation'),
  one(0x0212, 'mistyped argument'),
  { ...one(0x0213, 'resource limitation'), transient: true },
  one(0xfe00, 'cancelled'),
];

const SERVICES: Readonly<Record<DimseService, readonly Range[]>> = {
  'C-ECHO': [],
  // PS3.4 table B.2-1
  'C-STORE': [
    { first: 0xa700, last: 0xa7ff, meaning: 'refused: out of resources', transient: true },
    { first: 0xa900, last: 0xa9ff, meaning: 'data set does not match the SOP class' },
    { first: 0xc000, last: 0xcfff, meaning: 'cannot understand the data set' },
    one(0xb000, 'stored, but data elements were coerced'),
    one(0xb006, 'stored, but elements were discarded'),
    one(0xb007, 'stored, but the data set does not match the SOP class'),
  ],
  // PS3.4 table K.4-1 (worklist) and table C.4-1 (query)
  'C-FIND': [
    { first: 0xa700, last: 0xa7ff, meaning: 'refused: out of resources', transient: true },
    { first: 0xa900, last: 0xa9ff, meaning: 'identifier does not match the SOP class' },
    { first: 0xc000, last: 0xcfff, meaning: 'unable to process' },
    one(0xfe00, 'matching was cancelled'),
    one(0xff00, 'a match, more may follow'),
    one(0xff01, 'a match, more may follow; some optional keys were not supported'),
  ],
  // PS3.4 table C.4-2
  'C-MOVE': [
    { ...one(0xa701, 'refused: out of resources, unable to count the matches'), transient: true },
    { ...one(0xa702, 'refused: out of resources, unable to send the images'), transient: true },
    { first: 0xa700, last: 0xa7ff, meaning: 'refused: out of resources', transient: true },
    one(0xa801, 'refused: move destination unknown'),
    { first: 0xa900, last: 0xa9ff, meaning: 'identifier does not match the SOP class' },
    // some say so of a target that is down for a while
    { first: 0xc000, last: 0xcfff, meaning: 'unable to process', transient: true },
    one(0xb000, 'done, but some images failed'),
    one(0xfe00, 'moving was cancelled'),
    one(0xff00, 'images are being sent'),
  ],
};

/** Describes a status of a response. The class describes a status that no table knows (PS3.7 C.1 to C.5). */
export function describeStatus(service: DimseService, status: number): StatusDescription {
  const isIt = ({ first, last }: Range): boolean => status >= first && status <= last;
  const known = SERVICES[service].find(isIt) ?? GENERAL.find(isIt);
  const category = categoryOf(status);
  const meaning = known?.meaning ?? `${category}, in no table of the standard`;
  return { category, meaning, transient: category === 'failure' && known?.transient === true };
}

function categoryOf(status: number): StatusCategory {
  if (status === 0x0000) return 'success';
  if (status === 0xff00 || status === 0xff01) return 'pending';
  if (status === 0xfe00) return 'cancel';
  const warning = status === 0x0001 || status === 0x0107 || status === 0x0116 || status >> 12 === 0xb;
  return warning ? 'warning' : 'failure';
}
