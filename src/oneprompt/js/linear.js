// The linear map of oneprompt/model.py, where nearly all the time of a pass goes. T rows of x, I numbers
// in each, O rows of W. Several sums run side by side, because one alone waits for each of its
// additions. Each runs in the same order whatever T is, so a cached pass gives the same bits.

/** x Wᵀ + b: (T, I) and W (O, I) -> (T, O); b may be null. */
export function linear(x, W, b, I) {
  const [T, O] = [x.length / I, W.length / I];
  const y = new Float32Array(T * O);
  for (let t = 0; t < T; t += 2) {
    const rows = t + 1 < T ? twoRows : oneRow;
    for (let o = 0; o < O; o += 4) rows(x, t * I, W, four(o, O), b, I, y, t * O, O);
  }
  return y;
}

/** Four numbers from o on; past the last one, that one again. */
const four = (o, O) => [o, Math.min(o + 1, O - 1), Math.min(o + 2, O - 1), Math.min(o + 3, O - 1)];

/** Four numbers of one row of y, which begins at `to`; the row of x begins at `from`. */
function oneRow(x, from, W, [o, o1, o2, o3], b, I, y, to) {
  let [s, s1, s2, s3] = [0, 0, 0, 0];
  const [w, w1, w2, w3] = [o * I, o1 * I, o2 * I, o3 * I];
  for (let i = 0; i < I; i += 1) {
    const u = x[from + i];
    s += u * W[w + i];
    s1 += u * W[w1 + i];
    s2 += u * W[w2 + i];
    s3 += u * W[w3 + i];
  }
  y[to + o] = s + (b ? b[o] : 0);
  y[to + o1] = s1 + (b ? b[o1] : 0);
  y[to + o2] = s2 + (b ? b[o2] : 0);
  y[to + o3] = s3 + (b ? b[o3] : 0);
}

/** The same for this row and the next, with each weight read once for both. */
function twoRows(x, from, W, [o, o1, o2, o3], b, I, y, to, O) {
  let [s, s1, s2, s3, r, r1, r2, r3] = [0, 0, 0, 0, 0, 0, 0, 0];
  const [next, w, w1, w2, w3] = [from + I, o * I, o1 * I, o2 * I, o3 * I];
  for (let i = 0; i < I; i += 1) {
    const u = x[from + i];
    const v = x[next + i];
    const a = W[w + i];
    s += u * a;
    r += v * a;
    const a1 = W[w1 + i];
    s1 += u * a1;
    r1 += v * a1;
    const a2 = W[w2 + i];
    s2 += u * a2;
    r2 += v * a2;
    const a3 = W[w3 + i];
    s3 += u * a3;
    r3 += v * a3;
  }
  y[to + o] = s + (b ? b[o] : 0);
  y[to + o1] = s1 + (b ? b[o1] : 0);
  y[to + o2] = s2 + (b ? b[o2] : 0);
  y[to + o3] = s3 + (b ? b[o3] : 0);
  y[to + O + o] = r + (b ? b[o] : 0);
  y[to + O + o1] = r1 + (b ? b[o1] : 0);
  y[to + O + o2] = r2 + (b ? b[o2] : 0);
  y[to + O + o3] = r3 + (b ? b[o3] : 0);
}
