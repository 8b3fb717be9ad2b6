; launch gn_f32_o1_g32_c10_i4096_silu_kernel: batch * 128 blocks of 320 threads, in clusters of 4
; ModuleID = "gn_f32_o1_g32_c10_i4096_silu"
target triple = "nvptx64-nvidia-cuda"
target datalayout = ""

define internal <4 x float> @"silu_f32x4"(<4 x float> %"x") alwaysinline nounwind
{
entry:
  br label %"body"
body:
  %".4" = fcmp ogt <4 x float> <float 0xc0562e4300000000, float 0xc0562e4300000000, float 0xc0562e4300000000, float 0xc0562e4300000000>, %"x"
  %".5" = select  <4 x i1> %".4", <4 x float> <float 0xc0562e4300000000, float 0xc0562e4300000000, float 0xc0562e4300000000, float 0xc0562e4300000000>, <4 x float> %"x"
  %".6" = fcmp olt <4 x float> <float 0x405601e680000000, float 0x405601e680000000, float 0x405601e680000000, float 0x405601e680000000>, %".5"
  %".7" = select  <4 x i1> %".6", <4 x float> <float 0x405601e680000000, float 0x405601e680000000, float 0x405601e680000000, float 0x405601e680000000>, <4 x float> %".5"
  %".8" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".7", <4 x float> <float 0xbff7154760000000, float 0xbff7154760000000, float 0xbff7154760000000, float 0xbff7154760000000>, <4 x float> <float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000>)
  %".9" = fsub <4 x float> %".8", <float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000>
  %".10" = bitcast <4 x float> %".8" to <4 x i32>
  %".11" = shl <4 x i32> %".10", <i32 23, i32 23, i32 23, i32 23>
  %".12" = bitcast <4 x i32> %".11" to <4 x float>
  %".13" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".9", <4 x float> <float 0x3fe62e4000000000, float 0x3fe62e4000000000, float 0x3fe62e4000000000, float 0x3fe62e4000000000>, <4 x float> %".7")
  %".14" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".9", <4 x float> <float 0x3eb7f7d1c0000000, float 0x3eb7f7d1c0000000, float 0x3eb7f7d1c0000000, float 0x3eb7f7d1c0000000>, <4 x float> %".13")
  %".15" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> <float 0xbf80fa4fe0000000, float 0xbf80fa4fe0000000, float 0xbf80fa4fe0000000, float 0xbf80fa4fe0000000>, <4 x float> %".14", <4 x float> <float 0x3fa573be00000000, float 0x3fa573be00000000, float 0x3fa573be00000000, float 0x3fa573be00000000>)
  %".16" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".15", <4 x float> %".14", <4 x float> <float 0xbfc555a7a0000000, float 0xbfc555a7a0000000, float 0xbfc555a7a0000000, float 0xbfc555a7a0000000>)
  %".17" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".16", <4 x float> %".14", <4 x float> <float 0x3fdfffdc20000000, float 0x3fdfffdc20000000, float 0x3fdfffdc20000000, float 0x3fdfffdc20000000>)
  %".18" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".17", <4 x float> %".14", <4 x float> <float 0xbfefffff60000000, float 0xbfefffff60000000, float 0xbfefffff60000000, float 0xbfefffff60000000>)
  %".19" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".18", <4 x float> %".14", <4 x float> <float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000>)
  %".20" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".19", <4 x float> %".12", <4 x float> <float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000>)
  %".21" = fdiv <4 x float> %".5", %".20"
  ret <4 x float> %".21"
}

declare <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1", <4 x float> %".2", <4 x float> %".3")

define ptx_kernel void @"gn_f32_o1_g32_c10_i4096_silu_kernel"(ptr addrspace(1) readonly align 16 %"x", ptr addrspace(1) noalias readonly align 16 %"gamma", ptr addrspace(1) noalias readonly align 16 %"beta", ptr addrspace(1) align 16 %"y", i64 %"batch") "nvvm.cluster_dim"="4" "nvvm.maxntid"="320" "nvvm.minctasm"="2" nounwind
{
entry:
  %"squares_2" = alloca double
  %"rests_2" = alloca double
  %"square_3" = alloca double
  %"rest_3" = alloca double
  %"moves" = alloca double
  %"count" = alloca double
  %"moved" = alloca double
  %"count_all" = alloca double
  %"square_sum_2" = alloca double
  %"rest_sum_2" = alloca double
  %"square_2" = alloca <4 x double>
  %"rest_2" = alloca <4 x double>
  %"squares" = alloca double
  %"rests" = alloca double
  %"square_sum" = alloca float
  %"rest_sum" = alloca float
  %"square" = alloca <4 x float>
  %"rest" = alloca <4 x float>
  %"shared" = alloca float
  %"total" = alloca <4 x float>
  %"held" = alloca [8 x <4 x float>], align 16
  br label %"body"
body:
  %".8" = call i32 @"llvm.nvvm.read.ptx.sreg.ctaid.x"()
  %".9" = udiv i32 %".8", 128
  %".10" = zext i32 %".9" to i64
  %".11" = udiv i32 %".8", 4
  %".12" = urem i32 %".11", 32
  %".13" = zext i32 %".12" to i64
  %".14" = urem i32 %".8", 4
  %".15" = zext i32 %".14" to i64
  %".16" = call i32 @"llvm.nvvm.read.ptx.sreg.tid.x"(), !range !0
  %".17" = udiv i32 %".16", 32
  %".18" = zext i32 %".17" to i64
  %".19" = urem i32 %".16", 32
  %".20" = zext i32 %".19" to i64
  %".21" = mul nsw i64 %".18", 32
  %".22" = add nsw i64 %".21", %".20"
  %".23" = mul nsw i64 %".15", 10
  %".24" = add nsw i64 %".23", %".18"
  %".25" = mul nsw i64 %".24", 256
  %".26" = add nsw i64 %".25", %".20"
  %".27" = mul nsw i64 %".10", 1310720
  %".28" = mul nsw i64 %".13", 40960
  %".29" = add nsw i64 %".27", %".28"
  %".30" = mul nsw i64 %".26", 4
  %".31" = add nsw i64 %".29", %".30"
  %".32" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".31"
  %".33" = load <4 x float>, ptr addrspace(1) %".32", align 16
  %".34" = getelementptr inbounds float, ptr %"held", i64 0
  store <4 x float> %".33", ptr %".34", align 16
  %".36" = add nsw i64 %".26", 32
  %".37" = mul nsw i64 %".10", 1310720
  %".38" = mul nsw i64 %".13", 40960
  %".39" = add nsw i64 %".37", %".38"
  %".40" = mul nsw i64 %".36", 4
  %".41" = add nsw i64 %".39", %".40"
  %".42" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".41"
  %".43" = load <4 x float>, ptr addrspace(1) %".42", align 16
  %".44" = getelementptr inbounds float, ptr %"held", i64 4
  store <4 x float> %".43", ptr %".44", align 16
  %".46" = add nsw i64 %".26", 64
  %".47" = mul nsw i64 %".10", 1310720
  %".48" = mul nsw i64 %".13", 40960
  %".49" = add nsw i64 %".47", %".48"
  %".50" = mul nsw i64 %".46", 4
  %".51" = add nsw i64 %".49", %".50"
  %".52" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".51"
  %".53" = load <4 x float>, ptr addrspace(1) %".52", align 16
  %".54" = getelementptr inbounds float, ptr %"held", i64 8
  store <4 x float> %".53", ptr %".54", align 16
  %".56" = add nsw i64 %".26", 96
  %".57" = mul nsw i64 %".10", 1310720
  %".58" = mul nsw i64 %".13", 40960
  %".59" = add nsw i64 %".57", %".58"
  %".60" = mul nsw i64 %".56", 4
  %".61" = add nsw i64 %".59", %".60"
  %".62" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".61"
  %".63" = load <4 x float>, ptr addrspace(1) %".62", align 16
  %".64" = getelementptr inbounds float, ptr %"held", i64 12
  store <4 x float> %".63", ptr %".64", align 16
  %".66" = add nsw i64 %".26", 128
  %".67" = mul nsw i64 %".10", 1310720
  %".68" = mul nsw i64 %".13", 40960
  %".69" = add nsw i64 %".67", %".68"
  %".70" = mul nsw i64 %".66", 4
  %".71" = add nsw i64 %".69", %".70"
  %".72" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".71"
  %".73" = load <4 x float>, ptr addrspace(1) %".72", align 16
  %".74" = getelementptr inbounds float, ptr %"held", i64 16
  store <4 x float> %".73", ptr %".74", align 16
  %".76" = add nsw i64 %".26", 160
  %".77" = mul nsw i64 %".10", 1310720
  %".78" = mul nsw i64 %".13", 40960
  %".79" = add nsw i64 %".77", %".78"
  %".80" = mul nsw i64 %".76", 4
  %".81" = add nsw i64 %".79", %".80"
  %".82" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".81"
  %".83" = load <4 x float>, ptr addrspace(1) %".82", align 16
  %".84" = getelementptr inbounds float, ptr %"held", i64 20
  store <4 x float> %".83", ptr %".84", align 16
  %".86" = add nsw i64 %".26", 192
  %".87" = mul nsw i64 %".10", 1310720
  %".88" = mul nsw i64 %".13", 40960
  %".89" = add nsw i64 %".87", %".88"
  %".90" = mul nsw i64 %".86", 4
  %".91" = add nsw i64 %".89", %".90"
  %".92" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".91"
  %".93" = load <4 x float>, ptr addrspace(1) %".92", align 16
  %".94" = getelementptr inbounds float, ptr %"held", i64 24
  store <4 x float> %".93", ptr %".94", align 16
  %".96" = add nsw i64 %".26", 224
  %".97" = mul nsw i64 %".10", 1310720
  %".98" = mul nsw i64 %".13", 40960
  %".99" = add nsw i64 %".97", %".98"
  %".100" = mul nsw i64 %".96", 4
  %".101" = add nsw i64 %".99", %".100"
  %".102" = getelementptr inbounds float, ptr addrspace(1) %"x", i64 %".101"
  %".103" = load <4 x float>, ptr addrspace(1) %".102", align 16
  %".104" = getelementptr inbounds float, ptr %"held", i64 28
  store <4 x float> %".103", ptr %".104", align 16
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"total"
  %".107" = getelementptr inbounds float, ptr %"held", i64 0
  %".108" = load <4 x float>, ptr %".107", align 16
  %".109" = load <4 x float>, ptr %"total"
  %".110" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".108", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".109")
  store <4 x float> %".110", ptr %"total"
  %".112" = getelementptr inbounds float, ptr %"held", i64 4
  %".113" = load <4 x float>, ptr %".112", align 16
  %".114" = load <4 x float>, ptr %"total"
  %".115" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".113", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".114")
  store <4 x float> %".115", ptr %"total"
  %".117" = getelementptr inbounds float, ptr %"held", i64 8
  %".118" = load <4 x float>, ptr %".117", align 16
  %".119" = load <4 x float>, ptr %"total"
  %".120" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".118", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".119")
  store <4 x float> %".120", ptr %"total"
  %".122" = getelementptr inbounds float, ptr %"held", i64 12
  %".123" = load <4 x float>, ptr %".122", align 16
  %".124" = load <4 x float>, ptr %"total"
  %".125" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".123", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".124")
  store <4 x float> %".125", ptr %"total"
  %".127" = getelementptr inbounds float, ptr %"held", i64 16
  %".128" = load <4 x float>, ptr %".127", align 16
  %".129" = load <4 x float>, ptr %"total"
  %".130" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".128", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".129")
  store <4 x float> %".130", ptr %"total"
  %".132" = getelementptr inbounds float, ptr %"held", i64 20
  %".133" = load <4 x float>, ptr %".132", align 16
  %".134" = load <4 x float>, ptr %"total"
  %".135" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".133", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".134")
  store <4 x float> %".135", ptr %"total"
  %".137" = getelementptr inbounds float, ptr %"held", i64 24
  %".138" = load <4 x float>, ptr %".137", align 16
  %".139" = load <4 x float>, ptr %"total"
  %".140" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".138", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".139")
  store <4 x float> %".140", ptr %"total"
  %".142" = getelementptr inbounds float, ptr %"held", i64 28
  %".143" = load <4 x float>, ptr %".142", align 16
  %".144" = load <4 x float>, ptr %"total"
  %".145" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".143", <4 x float> <float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000, float 0x3f50000000000000>, <4 x float> %".144")
  store <4 x float> %".145", ptr %"total"
  %".147" = load <4 x float>, ptr %"total"
  %".148" = shufflevector <4 x float> %".147", <4 x float> %".147", <2 x i32> <i32 0, i32 1>
  %".149" = shufflevector <4 x float> %".147", <4 x float> %".147", <2 x i32> <i32 2, i32 3>
  %".150" = fadd <2 x float> %".148", %".149"
  %".151" = shufflevector <2 x float> %".150", <2 x float> %".150", <1 x i32> <i32 0>
  %".152" = shufflevector <2 x float> %".150", <2 x float> %".150", <1 x i32> <i32 1>
  %".153" = fadd <1 x float> %".151", %".152"
  %".154" = extractelement <1 x float> %".153", i32 0
  store float %".154", ptr %"shared"
  %".156" = load float, ptr %"shared"
  %".157" = load float, ptr %"shared"
  %".158" = bitcast float %".157" to i32
  %".159" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".158", i32 16, i32 31)
  %".160" = bitcast i32 %".159" to float
  %".161" = fadd float %".156", %".160"
  store float %".161", ptr %"shared"
  %".163" = load float, ptr %"shared"
  %".164" = load float, ptr %"shared"
  %".165" = bitcast float %".164" to i32
  %".166" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".165", i32 8, i32 31)
  %".167" = bitcast i32 %".166" to float
  %".168" = fadd float %".163", %".167"
  store float %".168", ptr %"shared"
  %".170" = load float, ptr %"shared"
  %".171" = load float, ptr %"shared"
  %".172" = bitcast float %".171" to i32
  %".173" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".172", i32 4, i32 31)
  %".174" = bitcast i32 %".173" to float
  %".175" = fadd float %".170", %".174"
  store float %".175", ptr %"shared"
  %".177" = load float, ptr %"shared"
  %".178" = load float, ptr %"shared"
  %".179" = bitcast float %".178" to i32
  %".180" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".179", i32 2, i32 31)
  %".181" = bitcast i32 %".180" to float
  %".182" = fadd float %".177", %".181"
  store float %".182", ptr %"shared"
  %".184" = load float, ptr %"shared"
  %".185" = load float, ptr %"shared"
  %".186" = bitcast float %".185" to i32
  %".187" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".186", i32 1, i32 31)
  %".188" = bitcast i32 %".187" to float
  %".189" = fadd float %".184", %".188"
  store float %".189", ptr %"shared"
  %".191" = load float, ptr %"shared"
  %".192" = fpext float %".191" to double
  %".193" = fdiv double %".192", 0x4090000000000000
  %".194" = fmul double %".193", 0x4090000000000000
  %".195" = fptrunc double %".194" to float
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"rest"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square"
  %".198" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".195", i32 0
  %".199" = shufflevector <4 x float> %".198", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".200" = getelementptr inbounds float, ptr %"held", i64 0
  %".201" = load <4 x float>, ptr %".200", align 16
  %".202" = fsub <4 x float> %".201", %".199"
  %".203" = load <4 x float>, ptr %"rest"
  %".204" = fadd <4 x float> %".203", %".202"
  store <4 x float> %".204", ptr %"rest"
  %".206" = load <4 x float>, ptr %"square"
  %".207" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".202", <4 x float> %".202", <4 x float> %".206")
  store <4 x float> %".207", ptr %"square"
  %".209" = getelementptr inbounds float, ptr %"held", i64 4
  %".210" = load <4 x float>, ptr %".209", align 16
  %".211" = fsub <4 x float> %".210", %".199"
  %".212" = load <4 x float>, ptr %"rest"
  %".213" = fadd <4 x float> %".212", %".211"
  store <4 x float> %".213", ptr %"rest"
  %".215" = load <4 x float>, ptr %"square"
  %".216" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".211", <4 x float> %".211", <4 x float> %".215")
  store <4 x float> %".216", ptr %"square"
  %".218" = getelementptr inbounds float, ptr %"held", i64 8
  %".219" = load <4 x float>, ptr %".218", align 16
  %".220" = fsub <4 x float> %".219", %".199"
  %".221" = load <4 x float>, ptr %"rest"
  %".222" = fadd <4 x float> %".221", %".220"
  store <4 x float> %".222", ptr %"rest"
  %".224" = load <4 x float>, ptr %"square"
  %".225" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".220", <4 x float> %".220", <4 x float> %".224")
  store <4 x float> %".225", ptr %"square"
  %".227" = getelementptr inbounds float, ptr %"held", i64 12
  %".228" = load <4 x float>, ptr %".227", align 16
  %".229" = fsub <4 x float> %".228", %".199"
  %".230" = load <4 x float>, ptr %"rest"
  %".231" = fadd <4 x float> %".230", %".229"
  store <4 x float> %".231", ptr %"rest"
  %".233" = load <4 x float>, ptr %"square"
  %".234" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".229", <4 x float> %".229", <4 x float> %".233")
  store <4 x float> %".234", ptr %"square"
  %".236" = getelementptr inbounds float, ptr %"held", i64 16
  %".237" = load <4 x float>, ptr %".236", align 16
  %".238" = fsub <4 x float> %".237", %".199"
  %".239" = load <4 x float>, ptr %"rest"
  %".240" = fadd <4 x float> %".239", %".238"
  store <4 x float> %".240", ptr %"rest"
  %".242" = load <4 x float>, ptr %"square"
  %".243" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".238", <4 x float> %".238", <4 x float> %".242")
  store <4 x float> %".243", ptr %"square"
  %".245" = getelementptr inbounds float, ptr %"held", i64 20
  %".246" = load <4 x float>, ptr %".245", align 16
  %".247" = fsub <4 x float> %".246", %".199"
  %".248" = load <4 x float>, ptr %"rest"
  %".249" = fadd <4 x float> %".248", %".247"
  store <4 x float> %".249", ptr %"rest"
  %".251" = load <4 x float>, ptr %"square"
  %".252" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".247", <4 x float> %".247", <4 x float> %".251")
  store <4 x float> %".252", ptr %"square"
  %".254" = getelementptr inbounds float, ptr %"held", i64 24
  %".255" = load <4 x float>, ptr %".254", align 16
  %".256" = fsub <4 x float> %".255", %".199"
  %".257" = load <4 x float>, ptr %"rest"
  %".258" = fadd <4 x float> %".257", %".256"
  store <4 x float> %".258", ptr %"rest"
  %".260" = load <4 x float>, ptr %"square"
  %".261" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".256", <4 x float> %".256", <4 x float> %".260")
  store <4 x float> %".261", ptr %"square"
  %".263" = getelementptr inbounds float, ptr %"held", i64 28
  %".264" = load <4 x float>, ptr %".263", align 16
  %".265" = fsub <4 x float> %".264", %".199"
  %".266" = load <4 x float>, ptr %"rest"
  %".267" = fadd <4 x float> %".266", %".265"
  store <4 x float> %".267", ptr %"rest"
  %".269" = load <4 x float>, ptr %"square"
  %".270" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".265", <4 x float> %".265", <4 x float> %".269")
  store <4 x float> %".270", ptr %"square"
  %".272" = load <4 x float>, ptr %"rest"
  %".273" = shufflevector <4 x float> %".272", <4 x float> %".272", <2 x i32> <i32 0, i32 1>
  %".274" = shufflevector <4 x float> %".272", <4 x float> %".272", <2 x i32> <i32 2, i32 3>
  %".275" = fadd <2 x float> %".273", %".274"
  %".276" = shufflevector <2 x float> %".275", <2 x float> %".275", <1 x i32> <i32 0>
  %".277" = shufflevector <2 x float> %".275", <2 x float> %".275", <1 x i32> <i32 1>
  %".278" = fadd <1 x float> %".276", %".277"
  %".279" = extractelement <1 x float> %".278", i32 0
  store float %".279", ptr %"rest_sum"
  %".281" = load float, ptr %"rest_sum"
  %".282" = load float, ptr %"rest_sum"
  %".283" = bitcast float %".282" to i32
  %".284" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".283", i32 16, i32 31)
  %".285" = bitcast i32 %".284" to float
  %".286" = fadd float %".281", %".285"
  store float %".286", ptr %"rest_sum"
  %".288" = load float, ptr %"rest_sum"
  %".289" = load float, ptr %"rest_sum"
  %".290" = bitcast float %".289" to i32
  %".291" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".290", i32 8, i32 31)
  %".292" = bitcast i32 %".291" to float
  %".293" = fadd float %".288", %".292"
  store float %".293", ptr %"rest_sum"
  %".295" = load float, ptr %"rest_sum"
  %".296" = load float, ptr %"rest_sum"
  %".297" = bitcast float %".296" to i32
  %".298" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".297", i32 4, i32 31)
  %".299" = bitcast i32 %".298" to float
  %".300" = fadd float %".295", %".299"
  store float %".300", ptr %"rest_sum"
  %".302" = load float, ptr %"rest_sum"
  %".303" = load float, ptr %"rest_sum"
  %".304" = bitcast float %".303" to i32
  %".305" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".304", i32 2, i32 31)
  %".306" = bitcast i32 %".305" to float
  %".307" = fadd float %".302", %".306"
  store float %".307", ptr %"rest_sum"
  %".309" = load float, ptr %"rest_sum"
  %".310" = load float, ptr %"rest_sum"
  %".311" = bitcast float %".310" to i32
  %".312" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".311", i32 1, i32 31)
  %".313" = bitcast i32 %".312" to float
  %".314" = fadd float %".309", %".313"
  store float %".314", ptr %"rest_sum"
  %".316" = load <4 x float>, ptr %"square"
  %".317" = shufflevector <4 x float> %".316", <4 x float> %".316", <2 x i32> <i32 0, i32 1>
  %".318" = shufflevector <4 x float> %".316", <4 x float> %".316", <2 x i32> <i32 2, i32 3>
  %".319" = fadd <2 x float> %".317", %".318"
  %".320" = shufflevector <2 x float> %".319", <2 x float> %".319", <1 x i32> <i32 0>
  %".321" = shufflevector <2 x float> %".319", <2 x float> %".319", <1 x i32> <i32 1>
  %".322" = fadd <1 x float> %".320", %".321"
  %".323" = extractelement <1 x float> %".322", i32 0
  store float %".323", ptr %"square_sum"
  %".325" = load float, ptr %"square_sum"
  %".326" = load float, ptr %"square_sum"
  %".327" = bitcast float %".326" to i32
  %".328" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".327", i32 16, i32 31)
  %".329" = bitcast i32 %".328" to float
  %".330" = fadd float %".325", %".329"
  store float %".330", ptr %"square_sum"
  %".332" = load float, ptr %"square_sum"
  %".333" = load float, ptr %"square_sum"
  %".334" = bitcast float %".333" to i32
  %".335" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".334", i32 8, i32 31)
  %".336" = bitcast i32 %".335" to float
  %".337" = fadd float %".332", %".336"
  store float %".337", ptr %"square_sum"
  %".339" = load float, ptr %"square_sum"
  %".340" = load float, ptr %"square_sum"
  %".341" = bitcast float %".340" to i32
  %".342" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".341", i32 4, i32 31)
  %".343" = bitcast i32 %".342" to float
  %".344" = fadd float %".339", %".343"
  store float %".344", ptr %"square_sum"
  %".346" = load float, ptr %"square_sum"
  %".347" = load float, ptr %"square_sum"
  %".348" = bitcast float %".347" to i32
  %".349" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".348", i32 2, i32 31)
  %".350" = bitcast i32 %".349" to float
  %".351" = fadd float %".346", %".350"
  store float %".351", ptr %"square_sum"
  %".353" = load float, ptr %"square_sum"
  %".354" = load float, ptr %"square_sum"
  %".355" = bitcast float %".354" to i32
  %".356" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".355", i32 1, i32 31)
  %".357" = bitcast i32 %".356" to float
  %".358" = fadd float %".353", %".357"
  store float %".358", ptr %"square_sum"
  %".360" = load float, ptr %"rest_sum"
  %".361" = fpext float %".360" to double
  store double %".361", ptr %"rests"
  %".363" = load float, ptr %"square_sum"
  %".364" = fpext float %".363" to double
  store double %".364", ptr %"squares"
  %".366" = load float, ptr %"square_sum"
  %".367" = bitcast float %".366" to i32
  %".368" = call i32 @"llvm.nvvm.shfl.sync.idx.i32"(i32 -1, i32 %".367", i32 0, i32 31)
  %".369" = bitcast i32 %".368" to float
  %".370" = fcmp ole float %".369", 0x47efffffe0000000
  %".371" = xor i1 %".370", -1
  br i1 %".371", label %"body.if", label %"body.endif"
body.if:
  store <4 x double> <double              0x0, double              0x0, double              0x0, double              0x0>, ptr %"rest_2"
  store <4 x double> <double              0x0, double              0x0, double              0x0, double              0x0>, ptr %"square_2"
  %".375" = fpext float %".195" to double
  %".376" = insertelement <4 x double> <double undef, double undef, double undef, double undef>, double %".375", i32 0
  %".377" = shufflevector <4 x double> %".376", <4 x double> <double undef, double undef, double undef, double undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".378" = getelementptr inbounds float, ptr %"held", i64 0
  %".379" = load <4 x float>, ptr %".378", align 16
  %".380" = fpext <4 x float> %".379" to <4 x double>
  %".381" = fsub <4 x double> %".380", %".377"
  %".382" = load <4 x double>, ptr %"rest_2"
  %".383" = fadd <4 x double> %".382", %".381"
  store <4 x double> %".383", ptr %"rest_2"
  %".385" = load <4 x double>, ptr %"square_2"
  %".386" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".381", <4 x double> %".381", <4 x double> %".385")
  store <4 x double> %".386", ptr %"square_2"
  %".388" = getelementptr inbounds float, ptr %"held", i64 4
  %".389" = load <4 x float>, ptr %".388", align 16
  %".390" = fpext <4 x float> %".389" to <4 x double>
  %".391" = fsub <4 x double> %".390", %".377"
  %".392" = load <4 x double>, ptr %"rest_2"
  %".393" = fadd <4 x double> %".392", %".391"
  store <4 x double> %".393", ptr %"rest_2"
  %".395" = load <4 x double>, ptr %"square_2"
  %".396" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".391", <4 x double> %".391", <4 x double> %".395")
  store <4 x double> %".396", ptr %"square_2"
  %".398" = getelementptr inbounds float, ptr %"held", i64 8
  %".399" = load <4 x float>, ptr %".398", align 16
  %".400" = fpext <4 x float> %".399" to <4 x double>
  %".401" = fsub <4 x double> %".400", %".377"
  %".402" = load <4 x double>, ptr %"rest_2"
  %".403" = fadd <4 x double> %".402", %".401"
  store <4 x double> %".403", ptr %"rest_2"
  %".405" = load <4 x double>, ptr %"square_2"
  %".406" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".401", <4 x double> %".401", <4 x double> %".405")
  store <4 x double> %".406", ptr %"square_2"
  %".408" = getelementptr inbounds float, ptr %"held", i64 12
  %".409" = load <4 x float>, ptr %".408", align 16
  %".410" = fpext <4 x float> %".409" to <4 x double>
  %".411" = fsub <4 x double> %".410", %".377"
  %".412" = load <4 x double>, ptr %"rest_2"
  %".413" = fadd <4 x double> %".412", %".411"
  store <4 x double> %".413", ptr %"rest_2"
  %".415" = load <4 x double>, ptr %"square_2"
  %".416" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".411", <4 x double> %".411", <4 x double> %".415")
  store <4 x double> %".416", ptr %"square_2"
  %".418" = getelementptr inbounds float, ptr %"held", i64 16
  %".419" = load <4 x float>, ptr %".418", align 16
  %".420" = fpext <4 x float> %".419" to <4 x double>
  %".421" = fsub <4 x double> %".420", %".377"
  %".422" = load <4 x double>, ptr %"rest_2"
  %".423" = fadd <4 x double> %".422", %".421"
  store <4 x double> %".423", ptr %"rest_2"
  %".425" = load <4 x double>, ptr %"square_2"
  %".426" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".421", <4 x double> %".421", <4 x double> %".425")
  store <4 x double> %".426", ptr %"square_2"
  %".428" = getelementptr inbounds float, ptr %"held", i64 20
  %".429" = load <4 x float>, ptr %".428", align 16
  %".430" = fpext <4 x float> %".429" to <4 x double>
  %".431" = fsub <4 x double> %".430", %".377"
  %".432" = load <4 x double>, ptr %"rest_2"
  %".433" = fadd <4 x double> %".432", %".431"
  store <4 x double> %".433", ptr %"rest_2"
  %".435" = load <4 x double>, ptr %"square_2"
  %".436" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".431", <4 x double> %".431", <4 x double> %".435")
  store <4 x double> %".436", ptr %"square_2"
  %".438" = getelementptr inbounds float, ptr %"held", i64 24
  %".439" = load <4 x float>, ptr %".438", align 16
  %".440" = fpext <4 x float> %".439" to <4 x double>
  %".441" = fsub <4 x double> %".440", %".377"
  %".442" = load <4 x double>, ptr %"rest_2"
  %".443" = fadd <4 x double> %".442", %".441"
  store <4 x double> %".443", ptr %"rest_2"
  %".445" = load <4 x double>, ptr %"square_2"
  %".446" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".441", <4 x double> %".441", <4 x double> %".445")
  store <4 x double> %".446", ptr %"square_2"
  %".448" = getelementptr inbounds float, ptr %"held", i64 28
  %".449" = load <4 x float>, ptr %".448", align 16
  %".450" = fpext <4 x float> %".449" to <4 x double>
  %".451" = fsub <4 x double> %".450", %".377"
  %".452" = load <4 x double>, ptr %"rest_2"
  %".453" = fadd <4 x double> %".452", %".451"
  store <4 x double> %".453", ptr %"rest_2"
  %".455" = load <4 x double>, ptr %"square_2"
  %".456" = call <4 x double> @"llvm.fma.v4f64"(<4 x double> %".451", <4 x double> %".451", <4 x double> %".455")
  store <4 x double> %".456", ptr %"square_2"
  %".458" = load <4 x double>, ptr %"rest_2"
  %".459" = shufflevector <4 x double> %".458", <4 x double> %".458", <2 x i32> <i32 0, i32 1>
  %".460" = shufflevector <4 x double> %".458", <4 x double> %".458", <2 x i32> <i32 2, i32 3>
  %".461" = fadd <2 x double> %".459", %".460"
  %".462" = shufflevector <2 x double> %".461", <2 x double> %".461", <1 x i32> <i32 0>
  %".463" = shufflevector <2 x double> %".461", <2 x double> %".461", <1 x i32> <i32 1>
  %".464" = fadd <1 x double> %".462", %".463"
  %".465" = extractelement <1 x double> %".464", i32 0
  store double %".465", ptr %"rest_sum_2"
  %".467" = load double, ptr %"rest_sum_2"
  %".468" = load double, ptr %"rest_sum_2"
  %".469" = bitcast double %".468" to <2 x i32>
  %".470" = extractelement <2 x i32> %".469", i32 0
  %".471" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".470", i32 16, i32 31)
  %".472" = extractelement <2 x i32> %".469", i32 1
  %".473" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".472", i32 16, i32 31)
  %".474" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".471", i32 0
  %".475" = insertelement <2 x i32> %".474", i32 %".473", i32 1
  %".476" = bitcast <2 x i32> %".475" to double
  %".477" = fadd double %".467", %".476"
  store double %".477", ptr %"rest_sum_2"
  %".479" = load double, ptr %"rest_sum_2"
  %".480" = load double, ptr %"rest_sum_2"
  %".481" = bitcast double %".480" to <2 x i32>
  %".482" = extractelement <2 x i32> %".481", i32 0
  %".483" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".482", i32 8, i32 31)
  %".484" = extractelement <2 x i32> %".481", i32 1
  %".485" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".484", i32 8, i32 31)
  %".486" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".483", i32 0
  %".487" = insertelement <2 x i32> %".486", i32 %".485", i32 1
  %".488" = bitcast <2 x i32> %".487" to double
  %".489" = fadd double %".479", %".488"
  store double %".489", ptr %"rest_sum_2"
  %".491" = load double, ptr %"rest_sum_2"
  %".492" = load double, ptr %"rest_sum_2"
  %".493" = bitcast double %".492" to <2 x i32>
  %".494" = extractelement <2 x i32> %".493", i32 0
  %".495" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".494", i32 4, i32 31)
  %".496" = extractelement <2 x i32> %".493", i32 1
  %".497" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".496", i32 4, i32 31)
  %".498" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".495", i32 0
  %".499" = insertelement <2 x i32> %".498", i32 %".497", i32 1
  %".500" = bitcast <2 x i32> %".499" to double
  %".501" = fadd double %".491", %".500"
  store double %".501", ptr %"rest_sum_2"
  %".503" = load double, ptr %"rest_sum_2"
  %".504" = load double, ptr %"rest_sum_2"
  %".505" = bitcast double %".504" to <2 x i32>
  %".506" = extractelement <2 x i32> %".505", i32 0
  %".507" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".506", i32 2, i32 31)
  %".508" = extractelement <2 x i32> %".505", i32 1
  %".509" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".508", i32 2, i32 31)
  %".510" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".507", i32 0
  %".511" = insertelement <2 x i32> %".510", i32 %".509", i32 1
  %".512" = bitcast <2 x i32> %".511" to double
  %".513" = fadd double %".503", %".512"
  store double %".513", ptr %"rest_sum_2"
  %".515" = load double, ptr %"rest_sum_2"
  %".516" = load double, ptr %"rest_sum_2"
  %".517" = bitcast double %".516" to <2 x i32>
  %".518" = extractelement <2 x i32> %".517", i32 0
  %".519" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".518", i32 1, i32 31)
  %".520" = extractelement <2 x i32> %".517", i32 1
  %".521" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".520", i32 1, i32 31)
  %".522" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".519", i32 0
  %".523" = insertelement <2 x i32> %".522", i32 %".521", i32 1
  %".524" = bitcast <2 x i32> %".523" to double
  %".525" = fadd double %".515", %".524"
  store double %".525", ptr %"rest_sum_2"
  %".527" = load <4 x double>, ptr %"square_2"
  %".528" = shufflevector <4 x double> %".527", <4 x double> %".527", <2 x i32> <i32 0, i32 1>
  %".529" = shufflevector <4 x double> %".527", <4 x double> %".527", <2 x i32> <i32 2, i32 3>
  %".530" = fadd <2 x double> %".528", %".529"
  %".531" = shufflevector <2 x double> %".530", <2 x double> %".530", <1 x i32> <i32 0>
  %".532" = shufflevector <2 x double> %".530", <2 x double> %".530", <1 x i32> <i32 1>
  %".533" = fadd <1 x double> %".531", %".532"
  %".534" = extractelement <1 x double> %".533", i32 0
  store double %".534", ptr %"square_sum_2"
  %".536" = load double, ptr %"square_sum_2"
  %".537" = load double, ptr %"square_sum_2"
  %".538" = bitcast double %".537" to <2 x i32>
  %".539" = extractelement <2 x i32> %".538", i32 0
  %".540" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".539", i32 16, i32 31)
  %".541" = extractelement <2 x i32> %".538", i32 1
  %".542" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".541", i32 16, i32 31)
  %".543" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".540", i32 0
  %".544" = insertelement <2 x i32> %".543", i32 %".542", i32 1
  %".545" = bitcast <2 x i32> %".544" to double
  %".546" = fadd double %".536", %".545"
  store double %".546", ptr %"square_sum_2"
  %".548" = load double, ptr %"square_sum_2"
  %".549" = load double, ptr %"square_sum_2"
  %".550" = bitcast double %".549" to <2 x i32>
  %".551" = extractelement <2 x i32> %".550", i32 0
  %".552" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".551", i32 8, i32 31)
  %".553" = extractelement <2 x i32> %".550", i32 1
  %".554" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".553", i32 8, i32 31)
  %".555" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".552", i32 0
  %".556" = insertelement <2 x i32> %".555", i32 %".554", i32 1
  %".557" = bitcast <2 x i32> %".556" to double
  %".558" = fadd double %".548", %".557"
  store double %".558", ptr %"square_sum_2"
  %".560" = load double, ptr %"square_sum_2"
  %".561" = load double, ptr %"square_sum_2"
  %".562" = bitcast double %".561" to <2 x i32>
  %".563" = extractelement <2 x i32> %".562", i32 0
  %".564" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".563", i32 4, i32 31)
  %".565" = extractelement <2 x i32> %".562", i32 1
  %".566" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".565", i32 4, i32 31)
  %".567" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".564", i32 0
  %".568" = insertelement <2 x i32> %".567", i32 %".566", i32 1
  %".569" = bitcast <2 x i32> %".568" to double
  %".570" = fadd double %".560", %".569"
  store double %".570", ptr %"square_sum_2"
  %".572" = load double, ptr %"square_sum_2"
  %".573" = load double, ptr %"square_sum_2"
  %".574" = bitcast double %".573" to <2 x i32>
  %".575" = extractelement <2 x i32> %".574", i32 0
  %".576" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".575", i32 2, i32 31)
  %".577" = extractelement <2 x i32> %".574", i32 1
  %".578" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".577", i32 2, i32 31)
  %".579" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".576", i32 0
  %".580" = insertelement <2 x i32> %".579", i32 %".578", i32 1
  %".581" = bitcast <2 x i32> %".580" to double
  %".582" = fadd double %".572", %".581"
  store double %".582", ptr %"square_sum_2"
  %".584" = load double, ptr %"square_sum_2"
  %".585" = load double, ptr %"square_sum_2"
  %".586" = bitcast double %".585" to <2 x i32>
  %".587" = extractelement <2 x i32> %".586", i32 0
  %".588" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".587", i32 1, i32 31)
  %".589" = extractelement <2 x i32> %".586", i32 1
  %".590" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".589", i32 1, i32 31)
  %".591" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".588", i32 0
  %".592" = insertelement <2 x i32> %".591", i32 %".590", i32 1
  %".593" = bitcast <2 x i32> %".592" to double
  %".594" = fadd double %".584", %".593"
  store double %".594", ptr %"square_sum_2"
  %".596" = load double, ptr %"rest_sum_2"
  store double %".596", ptr %"rests"
  %".598" = load double, ptr %"square_sum_2"
  store double %".598", ptr %"squares"
  br label %"body.endif"
body.endif:
  %".601" = load double, ptr %"rests"
  %".602" = fdiv double %".601", 0x4090000000000000
  %".603" = fpext float %".195" to double
  %".604" = fadd double %".603", %".602"
  %".605" = load double, ptr %"squares"
  %".606" = load double, ptr %"rests"
  %".607" = fmul double %".606", %".602"
  %".608" = fsub double %".605", %".607"
  %".609" = icmp slt i64 %".20", 1
  br i1 %".609", label %"body.endif.if", label %"body.endif.endif"
body.endif.if:
  %".611" = mul nsw i64 %".18", 2
  %".612" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_own_part", i64 %".611"
  store double %".604", ptr addrspace(3) %".612", align 8
  %".614" = mul nsw i64 %".18", 2
  %".615" = add nsw i64 %".614", 1
  %".616" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_own_part", i64 %".615"
  store double %".608", ptr addrspace(3) %".616", align 8
  br label %"body.endif.endif"
body.endif.endif:
  call void @"llvm.nvvm.barrier.cluster.arrive.aligned"()
  call void @"llvm.nvvm.barrier.cluster.wait.aligned"()
  %".621" = icmp slt i64 %".22", 40
  br i1 %".621", label %"body.endif.endif.if", label %"body.endif.endif.endif"
body.endif.endif.if:
  %".623" = trunc i64 %".22" to i32
  %".624" = trunc i64 10 to i32
  %".625" = urem i32 %".623", %".624"
  %".626" = zext i32 %".625" to i64
  %".627" = mul nsw i64 %".626", 2
  %".628" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_own_part", i64 %".627"
  %".629" = trunc i64 %".22" to i32
  %".630" = trunc i64 10 to i32
  %".631" = udiv i32 %".629", %".630"
  %".632" = zext i32 %".631" to i64
  %".633" = trunc i64 %".632" to i32
  %".634" = call ptr addrspace(7) @"llvm.nvvm.mapa.shared.cluster"(ptr addrspace(3) %".628", i32 %".633")
  %".635" = load double, ptr addrspace(7) %".634", align 8
  %".636" = mul nsw i64 %".22", 2
  %".637" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_near", i64 %".636"
  store double %".635", ptr addrspace(3) %".637", align 8
  %".639" = trunc i64 %".22" to i32
  %".640" = trunc i64 10 to i32
  %".641" = urem i32 %".639", %".640"
  %".642" = zext i32 %".641" to i64
  %".643" = mul nsw i64 %".642", 2
  %".644" = add nsw i64 %".643", 1
  %".645" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_own_part", i64 %".644"
  %".646" = trunc i64 %".22" to i32
  %".647" = trunc i64 10 to i32
  %".648" = udiv i32 %".646", %".647"
  %".649" = zext i32 %".648" to i64
  %".650" = trunc i64 %".649" to i32
  %".651" = call ptr addrspace(7) @"llvm.nvvm.mapa.shared.cluster"(ptr addrspace(3) %".645", i32 %".650")
  %".652" = load double, ptr addrspace(7) %".651", align 8
  %".653" = mul nsw i64 %".22", 2
  %".654" = add nsw i64 %".653", 1
  %".655" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_near", i64 %".654"
  store double %".652", ptr addrspace(3) %".655", align 8
  br label %"body.endif.endif.endif"
body.endif.endif.endif:
  call void @"llvm.nvvm.barrier.cta.sync.aligned.all"(i32 0)
  %".659" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_near", i64 0
  %".660" = load double, ptr addrspace(3) %".659", align 8
  store double              0x0, ptr %"count_all"
  store double              0x0, ptr %"moved"
  br label %"k_header"
k_header:
  %"k" = phi  i64 [0, %"body.endif.endif.endif"], [%".681", %"k_body.endif"]
  %".664" = icmp slt i64 %"k", 2
  br i1 %".664", label %"k_body", label %"k_after"
k_body:
  %".666" = mul nsw i64 %"k", 32
  %".667" = add nsw i64 %".666", %".20"
  %".668" = icmp slt i64 %".667", 40
  br i1 %".668", label %"k_body.if", label %"k_body.endif"
k_after:
  %".683" = load double, ptr %"count_all"
  store double %".683", ptr %"count"
  %".685" = load double, ptr %"count"
  %".686" = load double, ptr %"count"
  %".687" = bitcast double %".686" to <2 x i32>
  %".688" = extractelement <2 x i32> %".687", i32 0
  %".689" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".688", i32 16, i32 31)
  %".690" = extractelement <2 x i32> %".687", i32 1
  %".691" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".690", i32 16, i32 31)
  %".692" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".689", i32 0
  %".693" = insertelement <2 x i32> %".692", i32 %".691", i32 1
  %".694" = bitcast <2 x i32> %".693" to double
  %".695" = fadd double %".685", %".694"
  store double %".695", ptr %"count"
  %".697" = load double, ptr %"count"
  %".698" = load double, ptr %"count"
  %".699" = bitcast double %".698" to <2 x i32>
  %".700" = extractelement <2 x i32> %".699", i32 0
  %".701" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".700", i32 8, i32 31)
  %".702" = extractelement <2 x i32> %".699", i32 1
  %".703" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".702", i32 8, i32 31)
  %".704" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".701", i32 0
  %".705" = insertelement <2 x i32> %".704", i32 %".703", i32 1
  %".706" = bitcast <2 x i32> %".705" to double
  %".707" = fadd double %".697", %".706"
  store double %".707", ptr %"count"
  %".709" = load double, ptr %"count"
  %".710" = load double, ptr %"count"
  %".711" = bitcast double %".710" to <2 x i32>
  %".712" = extractelement <2 x i32> %".711", i32 0
  %".713" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".712", i32 4, i32 31)
  %".714" = extractelement <2 x i32> %".711", i32 1
  %".715" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".714", i32 4, i32 31)
  %".716" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".713", i32 0
  %".717" = insertelement <2 x i32> %".716", i32 %".715", i32 1
  %".718" = bitcast <2 x i32> %".717" to double
  %".719" = fadd double %".709", %".718"
  store double %".719", ptr %"count"
  %".721" = load double, ptr %"count"
  %".722" = load double, ptr %"count"
  %".723" = bitcast double %".722" to <2 x i32>
  %".724" = extractelement <2 x i32> %".723", i32 0
  %".725" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".724", i32 2, i32 31)
  %".726" = extractelement <2 x i32> %".723", i32 1
  %".727" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".726", i32 2, i32 31)
  %".728" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".725", i32 0
  %".729" = insertelement <2 x i32> %".728", i32 %".727", i32 1
  %".730" = bitcast <2 x i32> %".729" to double
  %".731" = fadd double %".721", %".730"
  store double %".731", ptr %"count"
  %".733" = load double, ptr %"count"
  %".734" = load double, ptr %"count"
  %".735" = bitcast double %".734" to <2 x i32>
  %".736" = extractelement <2 x i32> %".735", i32 0
  %".737" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".736", i32 1, i32 31)
  %".738" = extractelement <2 x i32> %".735", i32 1
  %".739" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".738", i32 1, i32 31)
  %".740" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".737", i32 0
  %".741" = insertelement <2 x i32> %".740", i32 %".739", i32 1
  %".742" = bitcast <2 x i32> %".741" to double
  %".743" = fadd double %".733", %".742"
  store double %".743", ptr %"count"
  %".745" = load double, ptr %"count"
  %".746" = fcmp ogt double 0x3ff0000000000000, %".745"
  %".747" = select  i1 %".746", double 0x3ff0000000000000, double %".745"
  %".748" = load double, ptr %"moved"
  store double %".748", ptr %"moves"
  %".750" = load double, ptr %"moves"
  %".751" = load double, ptr %"moves"
  %".752" = bitcast double %".751" to <2 x i32>
  %".753" = extractelement <2 x i32> %".752", i32 0
  %".754" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".753", i32 16, i32 31)
  %".755" = extractelement <2 x i32> %".752", i32 1
  %".756" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".755", i32 16, i32 31)
  %".757" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".754", i32 0
  %".758" = insertelement <2 x i32> %".757", i32 %".756", i32 1
  %".759" = bitcast <2 x i32> %".758" to double
  %".760" = fadd double %".750", %".759"
  store double %".760", ptr %"moves"
  %".762" = load double, ptr %"moves"
  %".763" = load double, ptr %"moves"
  %".764" = bitcast double %".763" to <2 x i32>
  %".765" = extractelement <2 x i32> %".764", i32 0
  %".766" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".765", i32 8, i32 31)
  %".767" = extractelement <2 x i32> %".764", i32 1
  %".768" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".767", i32 8, i32 31)
  %".769" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".766", i32 0
  %".770" = insertelement <2 x i32> %".769", i32 %".768", i32 1
  %".771" = bitcast <2 x i32> %".770" to double
  %".772" = fadd double %".762", %".771"
  store double %".772", ptr %"moves"
  %".774" = load double, ptr %"moves"
  %".775" = load double, ptr %"moves"
  %".776" = bitcast double %".775" to <2 x i32>
  %".777" = extractelement <2 x i32> %".776", i32 0
  %".778" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".777", i32 4, i32 31)
  %".779" = extractelement <2 x i32> %".776", i32 1
  %".780" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".779", i32 4, i32 31)
  %".781" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".778", i32 0
  %".782" = insertelement <2 x i32> %".781", i32 %".780", i32 1
  %".783" = bitcast <2 x i32> %".782" to double
  %".784" = fadd double %".774", %".783"
  store double %".784", ptr %"moves"
  %".786" = load double, ptr %"moves"
  %".787" = load double, ptr %"moves"
  %".788" = bitcast double %".787" to <2 x i32>
  %".789" = extractelement <2 x i32> %".788", i32 0
  %".790" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".789", i32 2, i32 31)
  %".791" = extractelement <2 x i32> %".788", i32 1
  %".792" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".791", i32 2, i32 31)
  %".793" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".790", i32 0
  %".794" = insertelement <2 x i32> %".793", i32 %".792", i32 1
  %".795" = bitcast <2 x i32> %".794" to double
  %".796" = fadd double %".786", %".795"
  store double %".796", ptr %"moves"
  %".798" = load double, ptr %"moves"
  %".799" = load double, ptr %"moves"
  %".800" = bitcast double %".799" to <2 x i32>
  %".801" = extractelement <2 x i32> %".800", i32 0
  %".802" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".801", i32 1, i32 31)
  %".803" = extractelement <2 x i32> %".800", i32 1
  %".804" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".803", i32 1, i32 31)
  %".805" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".802", i32 0
  %".806" = insertelement <2 x i32> %".805", i32 %".804", i32 1
  %".807" = bitcast <2 x i32> %".806" to double
  %".808" = fadd double %".798", %".807"
  store double %".808", ptr %"moves"
  %".810" = load double, ptr %"moves"
  %".811" = fdiv double %".810", %".747"
  %".812" = fadd double %".660", %".811"
  store double              0x0, ptr %"rest_3"
  store double              0x0, ptr %"square_3"
  br label %"k_2_header"
k_body.if:
  %".670" = load double, ptr %"count_all"
  %".671" = fadd double %".670", 0x4090000000000000
  store double %".671", ptr %"count_all"
  %".673" = mul nsw i64 %".667", 2
  %".674" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_near", i64 %".673"
  %".675" = load double, ptr addrspace(3) %".674", align 8
  %".676" = fsub double %".675", %".660"
  %".677" = load double, ptr %"moved"
  %".678" = call double @"llvm.fma.f64"(double 0x4090000000000000, double %".676", double %".677")
  store double %".678", ptr %"moved"
  br label %"k_body.endif"
k_body.endif:
  %".681" = add nsw i64 %"k", 1
  br label %"k_header", !llvm.loop !2
k_2_header:
  %"k_2" = phi  i64 [0, %"k_after"], [%".839", %"k_2_body.endif"]
  %".816" = icmp slt i64 %"k_2", 2
  br i1 %".816", label %"k_2_body", label %"k_2_after"
k_2_body:
  %".818" = mul nsw i64 %"k_2", 32
  %".819" = add nsw i64 %".818", %".20"
  %".820" = icmp slt i64 %".819", 40
  br i1 %".820", label %"k_2_body.if", label %"k_2_body.endif"
k_2_after:
  %".841" = load double, ptr %"rest_3"
  store double %".841", ptr %"rests_2"
  %".843" = load double, ptr %"rests_2"
  %".844" = load double, ptr %"rests_2"
  %".845" = bitcast double %".844" to <2 x i32>
  %".846" = extractelement <2 x i32> %".845", i32 0
  %".847" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".846", i32 16, i32 31)
  %".848" = extractelement <2 x i32> %".845", i32 1
  %".849" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".848", i32 16, i32 31)
  %".850" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".847", i32 0
  %".851" = insertelement <2 x i32> %".850", i32 %".849", i32 1
  %".852" = bitcast <2 x i32> %".851" to double
  %".853" = fadd double %".843", %".852"
  store double %".853", ptr %"rests_2"
  %".855" = load double, ptr %"rests_2"
  %".856" = load double, ptr %"rests_2"
  %".857" = bitcast double %".856" to <2 x i32>
  %".858" = extractelement <2 x i32> %".857", i32 0
  %".859" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".858", i32 8, i32 31)
  %".860" = extractelement <2 x i32> %".857", i32 1
  %".861" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".860", i32 8, i32 31)
  %".862" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".859", i32 0
  %".863" = insertelement <2 x i32> %".862", i32 %".861", i32 1
  %".864" = bitcast <2 x i32> %".863" to double
  %".865" = fadd double %".855", %".864"
  store double %".865", ptr %"rests_2"
  %".867" = load double, ptr %"rests_2"
  %".868" = load double, ptr %"rests_2"
  %".869" = bitcast double %".868" to <2 x i32>
  %".870" = extractelement <2 x i32> %".869", i32 0
  %".871" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".870", i32 4, i32 31)
  %".872" = extractelement <2 x i32> %".869", i32 1
  %".873" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".872", i32 4, i32 31)
  %".874" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".871", i32 0
  %".875" = insertelement <2 x i32> %".874", i32 %".873", i32 1
  %".876" = bitcast <2 x i32> %".875" to double
  %".877" = fadd double %".867", %".876"
  store double %".877", ptr %"rests_2"
  %".879" = load double, ptr %"rests_2"
  %".880" = load double, ptr %"rests_2"
  %".881" = bitcast double %".880" to <2 x i32>
  %".882" = extractelement <2 x i32> %".881", i32 0
  %".883" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".882", i32 2, i32 31)
  %".884" = extractelement <2 x i32> %".881", i32 1
  %".885" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".884", i32 2, i32 31)
  %".886" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".883", i32 0
  %".887" = insertelement <2 x i32> %".886", i32 %".885", i32 1
  %".888" = bitcast <2 x i32> %".887" to double
  %".889" = fadd double %".879", %".888"
  store double %".889", ptr %"rests_2"
  %".891" = load double, ptr %"rests_2"
  %".892" = load double, ptr %"rests_2"
  %".893" = bitcast double %".892" to <2 x i32>
  %".894" = extractelement <2 x i32> %".893", i32 0
  %".895" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".894", i32 1, i32 31)
  %".896" = extractelement <2 x i32> %".893", i32 1
  %".897" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".896", i32 1, i32 31)
  %".898" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".895", i32 0
  %".899" = insertelement <2 x i32> %".898", i32 %".897", i32 1
  %".900" = bitcast <2 x i32> %".899" to double
  %".901" = fadd double %".891", %".900"
  store double %".901", ptr %"rests_2"
  %".903" = load double, ptr %"square_3"
  store double %".903", ptr %"squares_2"
  %".905" = load double, ptr %"squares_2"
  %".906" = load double, ptr %"squares_2"
  %".907" = bitcast double %".906" to <2 x i32>
  %".908" = extractelement <2 x i32> %".907", i32 0
  %".909" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".908", i32 16, i32 31)
  %".910" = extractelement <2 x i32> %".907", i32 1
  %".911" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".910", i32 16, i32 31)
  %".912" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".909", i32 0
  %".913" = insertelement <2 x i32> %".912", i32 %".911", i32 1
  %".914" = bitcast <2 x i32> %".913" to double
  %".915" = fadd double %".905", %".914"
  store double %".915", ptr %"squares_2"
  %".917" = load double, ptr %"squares_2"
  %".918" = load double, ptr %"squares_2"
  %".919" = bitcast double %".918" to <2 x i32>
  %".920" = extractelement <2 x i32> %".919", i32 0
  %".921" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".920", i32 8, i32 31)
  %".922" = extractelement <2 x i32> %".919", i32 1
  %".923" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".922", i32 8, i32 31)
  %".924" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".921", i32 0
  %".925" = insertelement <2 x i32> %".924", i32 %".923", i32 1
  %".926" = bitcast <2 x i32> %".925" to double
  %".927" = fadd double %".917", %".926"
  store double %".927", ptr %"squares_2"
  %".929" = load double, ptr %"squares_2"
  %".930" = load double, ptr %"squares_2"
  %".931" = bitcast double %".930" to <2 x i32>
  %".932" = extractelement <2 x i32> %".931", i32 0
  %".933" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".932", i32 4, i32 31)
  %".934" = extractelement <2 x i32> %".931", i32 1
  %".935" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".934", i32 4, i32 31)
  %".936" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".933", i32 0
  %".937" = insertelement <2 x i32> %".936", i32 %".935", i32 1
  %".938" = bitcast <2 x i32> %".937" to double
  %".939" = fadd double %".929", %".938"
  store double %".939", ptr %"squares_2"
  %".941" = load double, ptr %"squares_2"
  %".942" = load double, ptr %"squares_2"
  %".943" = bitcast double %".942" to <2 x i32>
  %".944" = extractelement <2 x i32> %".943", i32 0
  %".945" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".944", i32 2, i32 31)
  %".946" = extractelement <2 x i32> %".943", i32 1
  %".947" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".946", i32 2, i32 31)
  %".948" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".945", i32 0
  %".949" = insertelement <2 x i32> %".948", i32 %".947", i32 1
  %".950" = bitcast <2 x i32> %".949" to double
  %".951" = fadd double %".941", %".950"
  store double %".951", ptr %"squares_2"
  %".953" = load double, ptr %"squares_2"
  %".954" = load double, ptr %"squares_2"
  %".955" = bitcast double %".954" to <2 x i32>
  %".956" = extractelement <2 x i32> %".955", i32 0
  %".957" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".956", i32 1, i32 31)
  %".958" = extractelement <2 x i32> %".955", i32 1
  %".959" = call i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 -1, i32 %".958", i32 1, i32 31)
  %".960" = insertelement <2 x i32> <i32 undef, i32 undef>, i32 %".957", i32 0
  %".961" = insertelement <2 x i32> %".960", i32 %".959", i32 1
  %".962" = bitcast <2 x i32> %".961" to double
  %".963" = fadd double %".953", %".962"
  store double %".963", ptr %"squares_2"
  %".965" = load double, ptr %"rests_2"
  %".966" = fdiv double %".965", %".747"
  %".967" = fadd double %".812", %".966"
  %".968" = load double, ptr %"squares_2"
  %".969" = load double, ptr %"rests_2"
  %".970" = fmul double %".969", %".966"
  %".971" = fsub double %".968", %".970"
  %".972" = fcmp ogt double              0x0, %".971"
  %".973" = select  i1 %".972", double              0x0, double %".971"
  %".974" = fdiv double %".973", 0x40e4000000000000
  %".975" = fadd double %".974", 0x3f50624dd2f1a9fc
  %".976" = call double @"llvm.sqrt.f64"(double %".975")
  %".977" = fdiv double 0x3ff0000000000000, %".976"
  %".978" = fptrunc double %".967" to float
  %".979" = fpext float %".978" to double
  %".980" = fsub double %".967", %".979"
  %".981" = fptrunc double %".980" to float
  %".982" = fptrunc double %".977" to float
  %".983" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".978", i32 0
  %".984" = shufflevector <4 x float> %".983", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".985" = mul nsw i64 %".13", 10
  %".986" = mul nsw i64 %".24", 256
  %".987" = mul nsw i64 %".986", 4
  %".988" = trunc i64 %".987" to i32
  %".989" = trunc i64 4096 to i32
  %".990" = udiv i32 %".988", %".989"
  %".991" = zext i32 %".990" to i64
  %".992" = add nsw i64 %".985", %".991"
  %".993" = getelementptr inbounds float, ptr addrspace(1) %"gamma", i64 %".992"
  %".994" = load float, ptr addrspace(1) %".993", align 4
  %".995" = fmul float %".982", %".994"
  %".996" = fneg float %".981"
  %".997" = mul nsw i64 %".13", 10
  %".998" = mul nsw i64 %".24", 256
  %".999" = mul nsw i64 %".998", 4
  %".1000" = trunc i64 %".999" to i32
  %".1001" = trunc i64 4096 to i32
  %".1002" = udiv i32 %".1000", %".1001"
  %".1003" = zext i32 %".1002" to i64
  %".1004" = add nsw i64 %".997", %".1003"
  %".1005" = getelementptr inbounds float, ptr addrspace(1) %"beta", i64 %".1004"
  %".1006" = load float, ptr addrspace(1) %".1005", align 4
  %".1007" = call float @"llvm.fma.f32"(float %".996", float %".995", float %".1006")
  %".1008" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".995", i32 0
  %".1009" = shufflevector <4 x float> %".1008", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".1010" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".1007", i32 0
  %".1011" = shufflevector <4 x float> %".1010", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".1012" = mul nsw i64 %".24", 256
  %".1013" = add nsw i64 %".1012", %".20"
  %".1014" = getelementptr inbounds float, ptr %"held", i64 0
  %".1015" = load <4 x float>, ptr %".1014", align 16
  %".1016" = fsub <4 x float> %".1015", %".984"
  %".1017" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1016", <4 x float> %".1009", <4 x float> %".1011")
  %".1018" = call <4 x float> @"silu_f32x4"(<4 x float> %".1017")
  %".1019" = mul nsw i64 %".10", 1310720
  %".1020" = mul nsw i64 %".13", 40960
  %".1021" = add nsw i64 %".1019", %".1020"
  %".1022" = mul nsw i64 %".1013", 4
  %".1023" = add nsw i64 %".1021", %".1022"
  %".1024" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1023"
  store <4 x float> %".1018", ptr addrspace(1) %".1024", align 16
  %".1026" = add nsw i64 %".1013", 32
  %".1027" = getelementptr inbounds float, ptr %"held", i64 4
  %".1028" = load <4 x float>, ptr %".1027", align 16
  %".1029" = fsub <4 x float> %".1028", %".984"
  %".1030" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1029", <4 x float> %".1009", <4 x float> %".1011")
  %".1031" = call <4 x float> @"silu_f32x4"(<4 x float> %".1030")
  %".1032" = mul nsw i64 %".10", 1310720
  %".1033" = mul nsw i64 %".13", 40960
  %".1034" = add nsw i64 %".1032", %".1033"
  %".1035" = mul nsw i64 %".1026", 4
  %".1036" = add nsw i64 %".1034", %".1035"
  %".1037" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1036"
  store <4 x float> %".1031", ptr addrspace(1) %".1037", align 16
  %".1039" = add nsw i64 %".1013", 64
  %".1040" = getelementptr inbounds float, ptr %"held", i64 8
  %".1041" = load <4 x float>, ptr %".1040", align 16
  %".1042" = fsub <4 x float> %".1041", %".984"
  %".1043" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1042", <4 x float> %".1009", <4 x float> %".1011")
  %".1044" = call <4 x float> @"silu_f32x4"(<4 x float> %".1043")
  %".1045" = mul nsw i64 %".10", 1310720
  %".1046" = mul nsw i64 %".13", 40960
  %".1047" = add nsw i64 %".1045", %".1046"
  %".1048" = mul nsw i64 %".1039", 4
  %".1049" = add nsw i64 %".1047", %".1048"
  %".1050" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1049"
  store <4 x float> %".1044", ptr addrspace(1) %".1050", align 16
  %".1052" = add nsw i64 %".1013", 96
  %".1053" = getelementptr inbounds float, ptr %"held", i64 12
  %".1054" = load <4 x float>, ptr %".1053", align 16
  %".1055" = fsub <4 x float> %".1054", %".984"
  %".1056" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1055", <4 x float> %".1009", <4 x float> %".1011")
  %".1057" = call <4 x float> @"silu_f32x4"(<4 x float> %".1056")
  %".1058" = mul nsw i64 %".10", 1310720
  %".1059" = mul nsw i64 %".13", 40960
  %".1060" = add nsw i64 %".1058", %".1059"
  %".1061" = mul nsw i64 %".1052", 4
  %".1062" = add nsw i64 %".1060", %".1061"
  %".1063" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1062"
  store <4 x float> %".1057", ptr addrspace(1) %".1063", align 16
  %".1065" = add nsw i64 %".1013", 128
  %".1066" = getelementptr inbounds float, ptr %"held", i64 16
  %".1067" = load <4 x float>, ptr %".1066", align 16
  %".1068" = fsub <4 x float> %".1067", %".984"
  %".1069" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1068", <4 x float> %".1009", <4 x float> %".1011")
  %".1070" = call <4 x float> @"silu_f32x4"(<4 x float> %".1069")
  %".1071" = mul nsw i64 %".10", 1310720
  %".1072" = mul nsw i64 %".13", 40960
  %".1073" = add nsw i64 %".1071", %".1072"
  %".1074" = mul nsw i64 %".1065", 4
  %".1075" = add nsw i64 %".1073", %".1074"
  %".1076" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1075"
  store <4 x float> %".1070", ptr addrspace(1) %".1076", align 16
  %".1078" = add nsw i64 %".1013", 160
  %".1079" = getelementptr inbounds float, ptr %"held", i64 20
  %".1080" = load <4 x float>, ptr %".1079", align 16
  %".1081" = fsub <4 x float> %".1080", %".984"
  %".1082" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1081", <4 x float> %".1009", <4 x float> %".1011")
  %".1083" = call <4 x float> @"silu_f32x4"(<4 x float> %".1082")
  %".1084" = mul nsw i64 %".10", 1310720
  %".1085" = mul nsw i64 %".13", 40960
  %".1086" = add nsw i64 %".1084", %".1085"
  %".1087" = mul nsw i64 %".1078", 4
  %".1088" = add nsw i64 %".1086", %".1087"
  %".1089" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1088"
  store <4 x float> %".1083", ptr addrspace(1) %".1089", align 16
  %".1091" = add nsw i64 %".1013", 192
  %".1092" = getelementptr inbounds float, ptr %"held", i64 24
  %".1093" = load <4 x float>, ptr %".1092", align 16
  %".1094" = fsub <4 x float> %".1093", %".984"
  %".1095" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1094", <4 x float> %".1009", <4 x float> %".1011")
  %".1096" = call <4 x float> @"silu_f32x4"(<4 x float> %".1095")
  %".1097" = mul nsw i64 %".10", 1310720
  %".1098" = mul nsw i64 %".13", 40960
  %".1099" = add nsw i64 %".1097", %".1098"
  %".1100" = mul nsw i64 %".1091", 4
  %".1101" = add nsw i64 %".1099", %".1100"
  %".1102" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1101"
  store <4 x float> %".1096", ptr addrspace(1) %".1102", align 16
  %".1104" = add nsw i64 %".1013", 224
  %".1105" = getelementptr inbounds float, ptr %"held", i64 28
  %".1106" = load <4 x float>, ptr %".1105", align 16
  %".1107" = fsub <4 x float> %".1106", %".984"
  %".1108" = call <4 x float> @"llvm.fma.v4f32"(<4 x float> %".1107", <4 x float> %".1009", <4 x float> %".1011")
  %".1109" = call <4 x float> @"silu_f32x4"(<4 x float> %".1108")
  %".1110" = mul nsw i64 %".10", 1310720
  %".1111" = mul nsw i64 %".13", 40960
  %".1112" = add nsw i64 %".1110", %".1111"
  %".1113" = mul nsw i64 %".1104", 4
  %".1114" = add nsw i64 %".1112", %".1113"
  %".1115" = getelementptr inbounds float, ptr addrspace(1) %"y", i64 %".1114"
  store <4 x float> %".1109", ptr addrspace(1) %".1115", align 16
  call void @"llvm.nvvm.barrier.cluster.arrive.aligned"()
  call void @"llvm.nvvm.barrier.cluster.wait.aligned"()
  ret void
k_2_body.if:
  %".822" = mul nsw i64 %".819", 2
  %".823" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_near", i64 %".822"
  %".824" = load double, ptr addrspace(3) %".823", align 8
  %".825" = fsub double %".824", %".812"
  %".826" = fmul double 0x4090000000000000, %".825"
  %".827" = load double, ptr %"rest_3"
  %".828" = fadd double %".827", %".826"
  store double %".828", ptr %"rest_3"
  %".830" = load double, ptr %"square_3"
  %".831" = mul nsw i64 %".819", 2
  %".832" = add nsw i64 %".831", 1
  %".833" = getelementptr inbounds double, ptr addrspace(3) @"gn_f32_o1_g32_c10_i4096_silu_kernel_near", i64 %".832"
  %".834" = load double, ptr addrspace(3) %".833", align 8
  %".835" = fadd double %".830", %".834"
  %".836" = call double @"llvm.fma.f64"(double %".826", double %".825", double %".835")
  store double %".836", ptr %"square_3"
  br label %"k_2_body.endif"
k_2_body.endif:
  %".839" = add nsw i64 %"k_2", 1
  br label %"k_2_header", !llvm.loop !3
}

declare i32 @"llvm.nvvm.read.ptx.sreg.ctaid.x"()

declare i32 @"llvm.nvvm.read.ptx.sreg.tid.x"()

@"gn_f32_o1_g32_c10_i4096_silu_kernel_own_part" = internal addrspace(3) global [160 x i8] undef, align 16
declare i32 @"llvm.nvvm.shfl.sync.bfly.i32"(i32 %".1", i32 %".2", i32 %".3", i32 %".4")

declare i32 @"llvm.nvvm.shfl.sync.idx.i32"(i32 %".1", i32 %".2", i32 %".3", i32 %".4")

declare <4 x double> @"llvm.fma.v4f64"(<4 x double> %".1", <4 x double> %".2", <4 x double> %".3")

declare void @"llvm.nvvm.barrier.cluster.arrive.aligned"()

declare void @"llvm.nvvm.barrier.cluster.wait.aligned"()

@"gn_f32_o1_g32_c10_i4096_silu_kernel_near" = internal addrspace(3) global [640 x i8] undef, align 16
declare ptr addrspace(7) @"llvm.nvvm.mapa.shared.cluster"(ptr addrspace(3) %".1", i32 %".2")

declare void @"llvm.nvvm.barrier.cta.sync.aligned.all"(i32 %".1")

declare double @"llvm.fma.f64"(double %".1", double %".2", double %".3")

declare double @"llvm.sqrt.f64"(double %".1")

declare float @"llvm.fma.f32"(float %".1", float %".2", float %".3")

!0 = !{ i32 0, i32 320 }
!1 = !{ !"llvm.loop.unroll.disable" }
!2 = distinct !{ !2, !1 }
!3 = distinct !{ !3, !1 }
