"""The Tiny Recursive Model and the Hierarchical Reasoning Model in PyTorch: what the Rust crates are compared with.

Written for this comparison from the papers (arXiv 2510.04871, 2506.21734). Tensors have the names and shapes of a model folder
(`config.json`, `model.safetensors`), so that both sides load the same files. Of the architectures it knows those of the
mazes: attention with rotary positions, or a map of neighbours; a TRM halts by `q_halt` alone, an HRM trains `q_continue`.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Config:
    """An architecture; `config.json` of a model folder explains the fields by their names."""

    vocab_size: int
    seq_len: int
    num_puzzle_identifiers: int
    puzzle_emb_ndim: int
    puzzle_emb_len: int
    h_cycles: int
    l_cycles: int
    l_layers: int
    hidden_size: int
    num_heads: int
    expansion: float
    pos_encodings: str
    rms_norm_eps: float
    rope_theta: float
    halt_max_steps: int
    core: str = "trm"
    h_layers: int = 0
    no_act_continue: bool = True
    mixing: str = "attention"
    inner_multiple: int = 256
    q_readout: str = "first"

    @classmethod
    def read(cls, path: Path) -> "Config":
        """Reads a JSON file; the reference's spelling (`H_cycles`) will do."""
        values = {key.lower(): value for key, value in json.loads(path.read_text()).items()}
        positions = {"attention": ("rope", "rope2d"), "neighbours": ("none",)}
        if values.pop("mlp_t", False):
            values["mixing"] = "mlp_t"
        if values.get("h_layers", 0) > 0:
            values = values | {"core": "hrm", "no_act_continue": False, "puzzle_emb_len": 0}
        is_hrm = values.get("core", "trm") == "hrm"
        if values["no_act_continue"] == is_hrm or values["pos_encodings"] not in positions.get(
            values.get("mixing", "attention"), ()
        ):
            raise ValueError(f"{path}: not an architecture that this program has")
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def prefix_len(self) -> int:
        """Positions before the cells."""
        return self.puzzle_emb_len or math.ceil(self.puzzle_emb_ndim / self.hidden_size)

    @property
    def total_len(self) -> int:
        """Positions of a latent: prefix and cells."""
        return self.prefix_len + self.seq_len

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_heads

    @property
    def swiglu_inner(self) -> int:
        multiple = self.inner_multiple
        return math.ceil(round(self.expansion * self.hidden_size * 2 / 3) / multiple) * multiple


class Latents(NamedTuple):
    """The answer and the reasoning, both `[batch, len, hidden]`."""

    z_h: Tensor
    z_l: Tensor


def angles(config: Config) -> Tensor:
    """By how much each position turns each pair of features, `[len, head_dim / 2]`."""
    if config.pos_encodings == "rope":
        exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
        return torch.outer(torch.arange(config.total_len, dtype=torch.float32), config.rope_theta**-exponents)
    # On a grid half of the pairs turn with the row, half with the column, counted from 1 where there is a prefix.
    side, count = math.isqrt(config.seq_len), config.head_dim // 4
    frequencies = (torch.arange(count, dtype=torch.float32) + 0.5) / count * math.pi
    turns = torch.outer(torch.arange(side) + float(config.prefix_len > 0), frequencies)
    cells = torch.cat((turns.repeat_interleave(side, 0), turns.repeat(side, 1)), 1)
    return F.pad(cells, (0, 0, config.prefix_len, 0))


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns feature i of `x` `[batch, heads, len, head_dim]` with feature i + head_dim / 2, in f32."""
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


class Linear(nn.Linear):
    """A linear map whose weights, `[out, in]`, are cast to the precision of its input where they differ."""

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)


class Attention(nn.Module):
    """Self-attention over all positions, without a mask."""

    def __init__(self, config: Config):
        super().__init__()
        self.num_heads = config.num_heads
        self.qkv_proj = Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.o_proj = Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """`[batch, len, hidden]` to the same shape."""
        qkv = self.qkv_proj(x).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


# Rows and columns from a cell to each cell that is mixed into it.
NEIGHBOURHOOD = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))


class Neighbours(Linear):
    """A linear map of each cell of a square board and its four neighbours, zeros beyond the edges."""

    def __init__(self, config: Config):
        super().__init__(len(NEIGHBOURHOOD) * config.hidden_size, config.hidden_size, bias=False)
        self.side = math.isqrt(config.seq_len)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, cells, hidden]` to the same shape."""
        side = self.side
        framed = F.pad(x.unflatten(1, (side, side)), (0, 0, 1, 1, 1, 1))
        beside = [framed[:, 1 + i : 1 + i + side, 1 + j : 1 + j + side] for i, j in NEIGHBOURHOOD]
        return super().forward(torch.cat(beside, dim=-1)).flatten(1, 2)


class SwiGlu(nn.Module):
    """`down(silu(gate(x)) * up(x))`."""

    def __init__(self, config: Config):
        super().__init__()
        self.gate_up_proj = Linear(config.hidden_size, 2 * config.swiglu_inner, bias=False)
        self.down_proj = Linear(config.swiglu_inner, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[.., hidden]` to the same shape."""
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


class Block(nn.Module):
    """A mixing of positions and a SwiGLU, each followed by a residual sum and an RMSNorm without weights."""

    def __init__(self, config: Config):
        super().__init__()
        self.hidden, self.eps = config.hidden_size, config.rms_norm_eps
        self.self_attn = self.neighbours = None
        if config.mixing == "attention":
            self.self_attn = Attention(config)
        else:
            self.neighbours = Neighbours(config)
        self.mlp = SwiGlu(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """`[batch, len, hidden]` to the same shape."""
        mixed = self.neighbours(x) if self.self_attn is None else self.self_attn(x, cos, sin)
        x = F.rms_norm(x + mixed, (self.hidden,), eps=self.eps)
        return F.rms_norm(x + self.mlp(x), (self.hidden,), eps=self.eps)


class Network(nn.Module):
    """A stack of blocks that updates a latent, or both."""

    def __init__(self, config: Config, count: int):
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(count))
        table = angles(config) if config.mixing == "attention" else torch.zeros(0)
        self.register_buffer("cos", table.cos(), persistent=False)
        self.register_buffer("sin", table.sin(), persistent=False)

    def forward(self, z: Tensor, injection: Tensor) -> Tensor:
        """Both `[batch, len, hidden]`."""
        x = z + injection
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return x


class Embedding(nn.Module):
    """A vector for each token, `[vocab, hidden]`."""

    def __init__(self, config: Config):
        super().__init__()
        self.embedding_weight = nn.Parameter(torch.zeros(config.vocab_size, config.hidden_size))


class PuzzleEmbedding(nn.Module):
    """A vector for each puzzle identifier, `[identifiers, width]`."""

    def __init__(self, config: Config):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(config.num_puzzle_identifiers, config.puzzle_emb_ndim))


class Trm(nn.Module):
    """Embedding, network, heads. Computes in `dtype`, whatever the precision of its weights."""

    def __init__(self, config: Config, dtype: torch.dtype):
        super().__init__()
        self.config, self.dtype = config, dtype
        self.embed_tokens = Embedding(config)
        self.puzzle_emb = PuzzleEmbedding(config) if config.puzzle_emb_ndim else None
        if config.core == "hrm":
            self.H_level = Network(config, config.h_layers)
        self.L_level = Network(config, config.l_layers)
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)
        self.q_head = Linear(config.hidden_size * (2 if config.q_readout == "mean_min" else 1), 2)
        self.register_buffer("H_init", torch.zeros(config.hidden_size))
        self.register_buffer("L_init", torch.zeros(config.hidden_size))

    @classmethod
    def load(cls, folder: Path, precision: str) -> "Trm":
        """The model of a folder, with f32 weights."""
        model = cls(Config.read(folder / "config.json"), DTYPES[precision])
        model.load_state_dict(load_file(folder / "model.safetensors"))
        return model

    def embed(self, tokens: Tensor, identifiers: Tensor) -> Tensor:
        """Tokens `[batch, cells]` and puzzle identifiers `[batch]` to `[batch, len, hidden]`."""
        config = self.config
        x = F.embedding(tokens, self.embed_tokens.embedding_weight.to(self.dtype))
        if config.prefix_len:
            width = config.prefix_len * config.hidden_size
            prefix = x.new_zeros(len(x), 0)
            if self.puzzle_emb is not None:
                prefix = F.embedding(identifiers, self.puzzle_emb.weights.to(self.dtype))
            prefix = F.pad(prefix, (0, width - prefix.shape[1]))
            x = torch.cat((prefix.unflatten(1, (config.prefix_len, -1)), x), dim=1)
        return x * math.sqrt(config.hidden_size)

    def initial(self, batch: int) -> Latents:
        """The latents of fresh puzzles."""
        shape = (batch, self.config.total_len, self.config.hidden_size)
        return Latents(self.H_init.to(self.dtype).expand(shape), self.L_init.to(self.dtype).expand(shape))

    def logits(self, z_h: Tensor) -> Tensor:
        """Token logits, `[batch, cells, vocab]`."""
        return self.lm_head(z_h[:, self.config.prefix_len :])

    def q(self, z_h: Tensor) -> tuple[Tensor, Tensor]:
        """`q_halt` and `q_continue`, both `[batch]`, f32."""
        if self.config.q_readout == "first":
            return self.q_head(z_h[:, 0]).float().unbind(-1)
        cells = z_h[:, self.config.prefix_len :].float()
        return self.q_head(torch.cat((cells.mean(1), cells.amin(1)), dim=-1)).unbind(-1)

    def q_halt(self, z_h: Tensor) -> Tensor:
        """Above 0 a TRM holds its answer to be exactly right; `[batch]`, f32."""
        return self.q(z_h)[0]

    def networks(self) -> "Networks":
        """What updates `z_h`, and what updates `z_l`: one network for both in a TRM."""
        return Networks(self.H_level if self.config.core == "hrm" else self.L_level, self.L_level)


class Networks(NamedTuple):
    """Callables that update the latents."""

    h: nn.Module
    l: nn.Module


def each(change: Callable, nets: Networks) -> Networks:
    """The networks with a change made to each, once where one network does for both."""
    l = change(nets.l)
    return Networks(l if nets.h is nets.l else change(nets.h), l)


def cast_weights(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Casts the weights of a module for good; the tables of its rotations stay f32."""
    for parameter in module.parameters():
        parameter.data = parameter.data.to(dtype)
    return module


def h_cycle(net: Network | Networks, config: Config, z: Latents, x: Tensor, start: int = 0) -> Latents:
    """Refines the reasoning `l_cycles` times, or from time `start` on, then the answer once."""
    h, l = net if isinstance(net, Networks) else (net, net)
    z_h, z_l = z
    for _ in range(start, config.l_cycles):
        z_l = l(z_l, z_h + x)
    return Latents(h(z_h, z_l), z_l)


def begin(nets: Networks, config: Config, z: Latents, x: Tensor) -> Latents:
    """What carries no gradients in a supervision step: of an HRM all but the last update of either latent, of a TRM all H
    cycles but the last."""
    for _ in range(config.h_cycles - 1):
        z = h_cycle(nets, config, z, x)
    if config.core == "hrm":
        z_h, z_l = z
        for _ in range(config.l_cycles - 1):
            z_l = nets.l(z_l, z_h + x)
        z = Latents(z_h, z_l)
    return z


def finish(nets: Networks, config: Config, z: Latents, x: Tensor) -> Latents:
    """What follows `begin`, and carries gradients."""
    return h_cycle(nets, config, z, x, config.l_cycles - 1 if config.core == "hrm" else 0)
