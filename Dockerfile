# syntax=docker/dockerfile:1
#
#   docker build -t trm .                                    CPU (the last stage)
#   docker build -t trm:cuda --target cuda .                 CUDA, for NVIDIA drivers from 570 on
#   docker build --target binary-cuda --output target/dist . the binary alone, for another machine
#
# How to run them: docs/deployment.md. Tags are moved by their publishers; where every build must start from the same bytes,
# give digests (`--build-arg DEBIAN=debian@sha256:…`). RUST must be the channel of rust-toolchain.toml.

ARG RUST=rust:1.95.0-bookworm
ARG DEBIAN=debian:bookworm-slim
ARG CUDA=nvidia/cuda:12.8.1-base-ubuntu24.04


FROM ${RUST} AS source
ENV CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
WORKDIR /src
COPY . .


FROM source AS build-cpu
RUN --mount=type=cache,id=trm-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=trm-target-cpu,target=/src/target,sharing=locked \
    cargo build --release --locked -p trm-cli --features hub,serve \
    && install -D target/release/trm /out/trm


# No CUDA toolkit: its libraries are opened at run time. The bindings are those of the version in the stage `cuda`.
FROM source AS build-cuda
ENV CUDARC_CUDA_VERSION=12080
RUN --mount=type=cache,id=trm-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=trm-target-cuda,target=/src/target,sharing=locked \
    cargo build --release --locked -p trm-cli --features full \
    && install -D target/release/trm /out/trm


FROM scratch AS binary-cpu
COPY --from=build-cpu /out/trm /


FROM scratch AS binary-cuda
COPY --from=build-cuda /out/trm /


# Kernels are compiled at run time by NVRTC, which reads headers of the toolkit: `cuda_runtime.h`, `cuda_bf16.h` and so on
# (cudart-dev), and what these include (crt, cccl). NVIDIA's `runtime` images have the library without the headers.
FROM ${CUDA} AS cuda
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates cuda-nvrtc-12-8 cuda-cudart-dev-12-8 cuda-crt-12-8 cuda-cccl-12-8 \
    && rm -rf /var/lib/apt/lists/* \
    && ls /usr/local/cuda/include/{cuda_runtime.h,cuda_bf16.h,mma.h,crt/mma.h,nv/target} \
    && ldconfig -p | grep 'libnvrtc.so.12' \
    && groupadd --gid 10001 trm \
    && useradd --uid 10001 --gid trm --no-create-home --home-dir /state --shell /usr/sbin/nologin trm \
    && install -d -o trm -g trm -m 0750 /state
COPY --from=build-cuda /out/trm /usr/local/bin/trm
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/trm/
COPY datasets /usr/share/trm/datasets
LABEL org.opencontainers.image.title="trm" \
      org.opencontainers.image.description="Tiny Recursive Models: solve mazes, train, serve; CPU and CUDA" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# Downloads and tuned kernels are kept beside the state.
ENV CUDA_PATH=/usr/local/cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    XDG_CACHE_HOME=/state/cache
USER 10001:10001
WORKDIR /state
VOLUME /state
EXPOSE 7878
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7878 && printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 4 _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["trm"]
CMD ["serve", "--listen", "0.0.0.0:7878", "--state", "/state", "--device", "cuda", "--log-format", "json"]


FROM ${DEBIAN} AS cpu
RUN groupadd --gid 10001 trm \
    && useradd --uid 10001 --gid trm --no-create-home --home-dir /state --shell /usr/sbin/nologin trm \
    && install -d -o trm -g trm -m 0750 /state
# The Hub is reached over TLS, and the slim image has no certificates.
COPY --from=build-cpu /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build-cpu /out/trm /usr/local/bin/trm
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/trm/
COPY datasets /usr/share/trm/datasets
LABEL org.opencontainers.image.title="trm" \
      org.opencontainers.image.description="Tiny Recursive Models: solve mazes, train, serve; CPU" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENV XDG_CACHE_HOME=/state/cache
USER 10001:10001
WORKDIR /state
VOLUME /state
EXPOSE 7878
STOPSIGNAL SIGTERM
# The slim image has neither curl nor wget, but its bash opens TCP connections.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7878 && printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 4 _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["trm"]
CMD ["serve", "--listen", "0.0.0.0:7878", "--state", "/state", "--device", "cpu", "--log-format", "json"]
