import Planner

/// A page of help that belongs to no command.
struct HelpTopic: Sendable {
  let name: String
  let summary: String
  let text: String

  static let all = [units, exitCodes, scenario, run, megatron, formatting]

  private static let units = Self(
    name: "units", summary: "what the amounts mean",
    text: """
      Amounts of memory are per device. 1 GiB is 2^30 bytes, 1 MiB is 2^20.
      JSON has exact bytes.

        live        bytes of live tensors, as they were asked for
        allocated   the same, each tensor rounded up to the allocator's 512 bytes:
                    what torch.cuda.max_memory_allocated() says
        reserved    what PyTorch's caching allocator holds from the driver
        device      reserved memory and the CUDA context: what has to fit
        capacity    what the device offers to a process, not the marketing figure
        loading     what is there before the first step while a checkpoint is
                    quantized, at most; the verdict counts it ("loading" in JSON)

      FLOPs count a multiplication with its addition as two. Recomputation is
      given relative to the same step without it. Times are estimates of the
      arithmetic alone.

      """)

  private static let exitCodes = Self(
    name: "exit-codes", summary: "what the exit code says",
    text: """
      0    answered, or it fits
      1    answered: it does not fit
      2    the input is wrong or cannot be read
      70   a defect in plan: please report it

      For a list of scenarios the largest code of its members is given.

      """)

  private static let scenario = Self(
    name: "scenario", summary: "what a scenario file says",
    text: """
      A scenario is a JSON object, a list of them a JSON list. Only "model" and
      "workload" are needed; the report has the defaults. Keys: plan show scenario.

        {
          "schema": 1,
          "name": "Llama-2 7B, LoRA, on one 24 GB card",
          "model": "llama-2-7b",
          "workload": {
            "micro_batch_size": 1, "sequence_length": 2048,
            "gradient_accumulation_steps": 1, "keep_outputs": false
          },
          "precision": "bf16-true",
          "attention": "sdpa",
          "optimizer": { "name": "adamw", "implementation": "foreach" },
          "gradient_clipping": 1.0,
          "strategies": {
            "checkpointing": { "policy": "full" },
            "lora": { "rank": 16, "target_modules": ["q_proj", "v_proj"] },
            "offload_activations": { "pin_memory": true },
            "offload_optimizer": { "offload_gradients": false }
          },
          "hardware": { "device": "rtx-4090", "devices": 1, "host_memory": "64GiB" }
        }

      model       a name from "plan show models", the path of a config.json
                  (relative to the scenario), or such a config as an object
      workload    also "target_sequence_length": tokens that a decoder writes beside
                  an encoder (T5), and "experts": { "imbalance": 1.5, "capacity": 2 },
                  the busiest expert's load and a limit to it, over the mean load
      precision   32-true, bf16-true, 16-true, bf16-mixed, 16-mixed, fp8-mixed;
                  "autocast": true with 16-bit weights (Trainer's bf16=True)
      attention   sdpa, eager, flash (flash-attn)
      kernels     torch, liger (Llama, Mistral, Qwen2, Qwen3)
      loss        { "implementation": "transformers" }, "transformers-4.48", or
                  "chunked" with "chunks": 8
      framework   torch, megatron ("plan help megatron"), deepspeed (pipelines)
      device      an id from "plan show devices", or an object with memory_gib,
                  compute_capability, multiprocessors, bandwidth_GBps, tflops;
                  of a cpu: "kind": "cpu", memory_gib, bandwidth_GBps, tflops
      host_memory what the host offers to a run; a cpu of the catalog needs it
      strategies  "plan show strategies" lists them, "plan show zero" one's keys
      devices     as many as the strategies use together; "link_GBps",
                  "network_GBps" and "devices_per_node" say what connects them
      run         how long the run is and what it costs: plan help run

      """)

  private static let run = Self(
    name: "run", summary: "what a scenario says of a whole run, its costs and prices",
    text: """
      "run" says how long the run is; the report then has its time, energy, cost
      and storage.

        "run": { "examples": 50000, "length": 600, "epochs": 3 }

      tokens, steps, or examples    one of them; examples with "length" (tokens each)
                            and "epochs"; "packed": false is one a sequence
      step_seconds          a step that you measured, in place of the estimate
      retrain_per_year      how often the run is made (default: once in all)
      pue                   energy of the building over the machines' (1.3)
      price_per_kwh         of electricity (0.15)
      power_fraction        of its rated power that a device draws (1)
      node_power            what nodes draw beyond their devices (0.34)
      node_price            a server without its devices (0)
      years, utilization    bought hardware is used so long (3), and how much (0.5)
      checkpoints_kept      (2); "checkpoint_every" steps one is written;
                            "checkpoint_optimizer": false saves weights alone
      bytes_per_token       of the dataset on the disk (4)
      currency, per_usd     three letters, and what a US dollar is in it

      "hardware" may have "price", "rental_per_hour" and "watts" of its device.
      --prices FILE has them for several:

        { "currency": "EUR", "as_of": "2026-11-02", "source": "quotation 4711",
          "devices": { "rtx-4090": { "price": 1900, "rental_per_hour": 0.35 } } }

      Without them the catalog's prices are taken: of a day, each with its source
      (plan show rtx-4090).

      """)

  private static let megatron = Self(
    name: "megatron", summary: "what a run of Megatron-LM says of itself",
    text: """
      "framework": "megatron" plans Megatron-LM's layers, buffers and optimizer. Keys
      are its arguments with underscores.

      model       llama, mistral, qwen2, qwen3 and gpt2 models, or Megatron's own
                  arguments: { "model_type": "megatron_gpt", "num_layers": 96,
                  "hidden_size": 12288, "num_attention_heads": 96,
                  "vocab_size": 51200, "max_position_embeddings": 2048 }, also
                  ffn_hidden_size, num_query_groups, kv_channels, swiglu,
                  normalization, position_embedding_type, add_bias_linear,
                  add_qkv_bias, qk_layernorm, hidden_dropout, attention_dropout,
                  untie_embeddings_and_output_weights, num_experts, moe_...,
                  multi_latent_attention, q_lora_rank, kv_lora_rank, ...
      megatron    { "transformer_impl": transformer_engine or local,
                  "attention_backend": auto, flash, fused or unfused,
                  "cross_entropy_loss_fusion", "cross_entropy_fusion_impl",
                  "gradient_accumulation_fusion", "bias_dropout_fusion",
                  "create_attention_mask_in_dataloader",
                  "moe_token_dispatcher_type", "expert_tensor_parallel_size",
                  "cublas_workspace_config", "use_legacy_models" }
      strategies  "data_parallel": { "degree": 8, "distributed_optimizer": true,
                  "overlap_grad_reduce", "overlap_param_gather",
                  "ddp_bucket_size", "num_distributed_optimizer_instances" },
                  tensor_parallel, sequence_parallel, context_parallel,
                  expert_parallel, pipeline_parallel, and "checkpointing":
                  { "recompute_granularity": "full", "recompute_method": "block",
                  "recompute_num_layers": 4 } or { "recompute_granularity":
                  "selective", "recompute_modules": ["core_attn"] }

      """)

  private static let formatting = Self(
    name: "formatting", summary: "text, JSON, colour",
    text: """
      --format text   one screen of 80 columns for people; wording may change
      --format json   exact integers under stable keys, in a fixed order
      --format html   one page without scripts, with a chart of the step
      --format markdown  the same page as Markdown

      The result goes to standard output, everything else to standard error.
      A list of scenarios gives a list of reports, in order; a refused one stands
      in its place as { "name": ..., "error": { "message", "path", "fix" } }.

      Colour is used on a terminal only, and never when NO_COLOR is set or TERM is
      "dumb". --color always and --color never overrule that.

      """)
}
