/** Matching of texts: single values and wild cards (PS3.4 C.2.2.2.1 and C.2.2.2.4). */

export type TextTest = (value: string) => boolean;

/** VRs that `*` and `?` are wild cards in (PS3.4 C.2.2.2.4). */
const WILD = new Set(['AE', 'CS', 'LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UR', 'UT']);

/** A test for one value of a key that is no date, time or empty. */
export function textTest(vr: string, key: string, caseInsensitivePn: boolean): TextTest {
  if (vr === 'PN') return nameTest(key, caseInsensitivePn);
  if (vr === 'IS' || vr === 'DS') return numberTest(key);
  // a code has no lower case (PS3.5 table 6.2-1): `mr` means MR
  if (vr === 'CS') return wildTest(key.toUpperCase());
  return WILD.has(vr) ? wildTest(composed(key)) : (value) => value === key;
}

/** Numbers as texts: 70 and 70.0 are one weight. */
function numberTest(key: string): TextTest {
  const number = Number(key);
  return (value) => value === key || (value !== '' && Number(value) === number);
}

/**
 * By component groups (PS3.5 6.2.1.1): each group of the key that is not empty matches that of the value. A key of
 * one group may match any group: whoever asks in kana does not know where the item has them. Empty components at the
 * end mean nothing.
 */
function nameTest(key: string, ignoreCase: boolean): TextTest {
  const fold = (text: string): string => {
    const plain = composed(text).replace(/[\^ ]+$/, '');
    return ignoreCase ? plain.toLowerCase() : plain;
  };
  const groups = key.split('=');
  const tests = groups.map((group) => (fold(group) === '' ? undefined : wildTest(fold(group))));
  const [only] = tests;
  if (tests.length === 1 && only !== undefined)
    return (value) => value.split('=').some((group) => only(fold(group)));
  return (value) => {
    const folded = value.split('=').map(fold);
    return tests.every((test, index) => test === undefined || test(folded[index] ?? ''));
  };
}

/** `*` is any characters or none, `?` one character: a code point, not a byte. */
export function wildTest(pattern: string): TextTest {
  if (!/[*?]/.test(pattern)) return (value) => value === pattern || composed(value) === pattern;
  const wanted = Array.from(pattern);
  return (value) => glob(wanted, Array.from(composed(value)));
}

/** In time of pattern × value at most: after a mismatch it goes back to the last `*` only. */
function glob(pattern: readonly string[], value: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let index = 0; index < value.length;) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      at += 1;
      retry = index;
    } else if (wanted === '?' || wanted === value[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      retry += 1;
      index = retry;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** One form for é as one character and as e with its mark; plain ASCII has only one. */
const composed = (text: string): string => (/^[ -~]*$/.test(text) ? text : text.normalize('NFC'));
