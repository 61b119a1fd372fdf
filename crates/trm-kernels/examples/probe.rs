use burn::{
    backend::Flex,
    tensor::{DType, Distribution, Tensor},
};
use std::time::Instant;
use trm_kernels::*;
type T<const D: usize> = Tensor<Flex, D>;
fn time(name: &str, flops: f64, mut f: impl FnMut()) {
    for _ in 0..3 {
        f();
    }
    let n = 30;
    let t = Instant::now();
    let mut best = f64::MAX;
    for _ in 0..n {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64());
    }
    let s = t.elapsed().as_secs_f64() / n as f64;
    println!("{name:40} mean {:8.3} ms  best {:8.3} ms {:8.1} GF/s", s * 1e3, best * 1e3, flops / best / 1e9);
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let only = a.get(1).cloned().unwrap_or_default();
    let batch: usize = a.get(2).map_or(1, |s| s.parse().unwrap());
    let dev = Default::default();
    for dtype in [DType::F32, DType::BF16] {
        let r = |s: [usize; 3]| T::<3>::random(s, Distribution::Normal(0.0, 1.0), &dev).cast(dtype);
        let w = |s: [usize; 2]| T::<2>::random(s, Distribution::Normal(0.0, 0.04), &dev).cast(dtype);
        let n = batch as f64 * 916.0;
        let x = r([batch, 916, 512]);
        let (wqkv, wo, wg, wd) = (w([1536, 512]), w([512, 512]), w([3072, 512]), w([512, 1536]));
        let qkv = r([batch, 916, 1536]);
        let cos = T::<2>::ones([916, 64], &dev);
        let sin = T::<2>::zeros([916, 64], &dev);
        let mut t = |name: &str, flops: f64, f: &mut dyn FnMut()| {
            if name.contains(&only) {
                time(&format!("{dtype:?} {name}"), flops, f)
            }
        };
        t("qkv linear", 2.0 * n * 512.0 * 1536.0, &mut || {
            linear(x.clone(), wqkv.clone());
        });
        t("gate_up linear", 2.0 * n * 512.0 * 3072.0, &mut || {
            linear(x.clone(), wg.clone());
        });
        t("attention", 4.0 * n * 916.0 * 512.0, &mut || {
            attention(qkv.clone(), Some((cos.clone(), sin.clone())), 8);
        });
        t("attention sublayer", 2.0*n*512.0*(2048.0+2.0*916.0), &mut || { attention_add_rms_norm(x.clone(), [wqkv.clone(), wo.clone()], Some((cos.clone(), sin.clone())), 8, 1e-5); });
        t("swiglu sublayer", 2.0*n*512.0*4608.0, &mut || { swiglu_add_rms_norm(x.clone(), [wg.clone(), wd.clone()], 1e-5); });
        t("burn add", n*512.0, &mut || { let _ = x.clone() + x.clone(); });
    }
    use burn::backend::Autodiff;
    type A<const D: usize> = Tensor<Autodiff<Flex>, D>;
    for dtype in [DType::F32, DType::BF16] { for (b, len, h, heads, inner) in [(32, 100, 128, 8, 256), (2, 916, 512, 8, 1536)] {
        let r = |s: [usize;3]| A::<3>::random(s, Distribution::Normal(0.0, 1.0), &dev).cast(dtype);
        let w = |s: [usize;2]| A::<2>::random(s, Distribution::Normal(0.0, 0.04), &dev).require_grad();
        let (wqkv, wo, wg, wd) = (w([3*h, h]), w([h, h]), w([2*inner, h]), w([h, inner]));
        let cos = A::<2>::ones([len, h/heads], &dev); let sin = A::<2>::zeros([len, h/heads], &dev);
        let x = r([b, len, h]);
        let n = (b*len) as f64; let hf = h as f64;
        let fl = 2.0*n*hf*(3.0*inner as f64+4.0*hf+2.0*len as f64);
        let mut t = |name: &str, flops: f64, f: &mut dyn FnMut()| { let n = format!("{dtype:?} {h} {name}"); if n.contains(&only) { time(&n, flops, f) } };
        let layer = |x: A<3>| { let x = attention_add_rms_norm(x, [wqkv.clone(), wo.clone()], Some((cos.clone(), sin.clone())), heads, 1e-5); swiglu_add_rms_norm(x, [wg.clone(), wd.clone()], 1e-5) };
        t("train layer forward", fl, &mut || { layer(x.clone()); });
        t("train layer both", 3.0*fl, &mut || { let y = layer(x.clone().require_grad()); y.backward(); });
    } }
}
