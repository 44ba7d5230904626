/** What a UID is (PS3.5 9.1): at most 64 characters, numbers without leading zeros, separated by dots. */
const UID = /^(?=.{1,64}$)(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/;

export const isUid = (value: string): boolean => UID.test(value);
