// erf in double precision, by W. J. Cody's rational approximations (Math. Comp. 23, 1969); and rounding to even.

const A = [3.1611237438705656, 113.864154151050156, 377.485237685302021, 3209.37758913846947, 0.185777706184603153];
const B = [23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062];
const C = [
  0.564188496988670089, 8.88314979438837594, 66.1191906371416295, 298.635138197400131, 881.95222124176909,
  1712.04761263407058, 2051.07837782607147, 1230.33935479799725, 2.15311535474403846e-8,
];
const D = [
  15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019, 3290.79923573345963,
  4362.61909014324716, 3439.36767414372164, 1230.33935480374942,
];
const P = [
  0.305326634961232344, 0.360344899949804439, 0.125781726111229246, 0.0160837851487422766,
  6.58749161529837803e-4, 0.0163153871373020978,
];
const Q = [2.56852019228982242, 1.87295284992346725, 0.527905102951428412, 0.0605183413124413191, 0.00233520497626869185];
const ONE_OVER_SQRT_PI = 0.56418958354775628695;

export function erf(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return x * erfOverX(y > 1.11e-16 ? y * y : 0);
  if (!(y < 6)) return x !== x ? x : Math.sign(x); // erf(6) differs from 1 by 2e-17
  const tail = y <= 4 ? erfcMiddle(y) : erfcFar(y);
  return x < 0 ? tail - 1 : 1 - tail;
}

/** erf(x) / x from x². */
function erfOverX(z: number): number {
  let numerator = A[4]! * z;
  let denominator = z;
  for (let i = 0; i < 3; i++) {
    numerator = (numerator + A[i]!) * z;
    denominator = (denominator + B[i]!) * z;
  }
  return (numerator + A[3]!) / (denominator + B[3]!);
}

/** exp(-y²); y² is split, so that exp does not amplify its rounding error. */
function gauss(y: number): number {
  const head = Math.trunc(y * 16) / 16;
  return Math.exp(-head * head) * Math.exp(-(y - head) * (y + head));
}

/** 1 - erf(y) for 0.46875 < y ≤ 4. */
function erfcMiddle(y: number): number {
  let numerator = C[8]! * y;
  let denominator = y;
  for (let i = 0; i < 7; i++) {
    numerator = (numerator + C[i]!) * y;
    denominator = (denominator + D[i]!) * y;
  }
  return gauss(y) * ((numerator + C[7]!) / (denominator + D[7]!));
}

/** 1 - erf(y) for y > 4. */
function erfcFar(y: number): number {
  const z = 1 / (y * y);
  let numerator = P[5]! * z;
  let denominator = z;
  for (let i = 0; i < 4; i++) {
    numerator = (numerator + P[i]!) * z;
    denominator = (denominator + Q[i]!) * z;
  }
  const ratio = (z * (numerator + P[4]!)) / (denominator + Q[4]!);
  return gauss(y) * ((ONE_OVER_SQRT_PI - ratio) / y);
}

/** The nearest whole number; halves are rounded to the even one, as by NumPy and PyTorch. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest < 0.5) return below === 0 && x < 0 ? -0 : below;
  if (rest > 0.5) return below + 1 === 0 ? -0 : below + 1;
  if (rest !== 0.5) return x; // nan and infinities
  const even = below % 2 === 0 ? below : below + 1;
  return even === 0 && x < 0 ? -0 : even;
}
